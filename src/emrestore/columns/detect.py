"""Find atomic columns in an image, and match found to true ones."""

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from skimage.feature import peak_local_max

from emrestore.errors import EmrestoreError


def find_spacing(image: np.ndarray) -> float:
    """Estimate the distance between neighbouring columns [px] from the autocorrelation.

    Parameters
    ----------
    image
        (Y, X), any unit. What varies over more than an eighth of the image is taken for background.

    Returns
    -------
    float
        Distance from the centre of the autocorrelation to its nearest clear maximum.

    Raises
    ------
    EmrestoreError
        If there is none: no lattice, or too noisy.
    """
    size = min(image.shape)
    flat = image - gaussian_filter(image, size / 8)
    # faded edges and zero padding: neither a step nor a wrap at the border
    flat = (flat - flat.mean()) * np.outer(*(np.hanning(length + 2)[1:-1] for length in image.shape))
    power = np.abs(np.fft.rfft2(flat, s=[2 * length for length in image.shape])) ** 2
    auto = np.fft.fftshift(np.fft.irfft2(power, s=[2 * length for length in image.shape]))
    auto = gaussian_filter(auto, 1.0)
    centre = np.array(auto.shape) // 2
    peaks = peak_local_max(auto, min_distance=2, exclude_border=False)
    distance = np.hypot(*(peaks - centre).T)
    height = auto[tuple(peaks.T)]
    apart = (distance > 2) & (distance < size / 4)
    if not apart.any() or height[apart].max() <= 0:
        raise EmrestoreError("no column spacing was found in the image: give the spacing in pixels.")
    clear = apart & (height > 0.5 * height[apart].max())
    return float(distance[clear].min())


def detect_columns(
    image: np.ndarray, *, spacing: float | None = None, threshold: float = 0.1, noise: float = 5.0
) -> np.ndarray:
    """Find the atomic columns of an image.

    A difference of Gaussians, as wide as the columns can be, takes off noise and background; its maxima are
    columns if they rise clear of the noise and of the ripples between columns.

    Parameters
    ----------
    image
        (Y, X), any unit; columns are bright.
    spacing
        Distance between neighbouring columns [px]; None: from the autocorrelation, see :func:`find_spacing`.
    threshold
        Least height of a maximum relative to the high columns of the image (95th percentile of maxima).
    noise
        Least height of a maximum in robust standard deviations of the noise of the filtered image.

    Returns
    -------
    ndarray
        (n, 2) x, y [px], from the vertex of a parabola through each maximum, ordered by y, then x.

    Raises
    ------
    EmrestoreError
        If the image is not a finite (Y, X) array or no column was found.
    """
    image = np.asarray(image, dtype=float)
    if image.ndim != 2 or min(image.shape) < 8 or not np.isfinite(image).all():
        raise EmrestoreError("columns are found in finite images (Y, X) of at least 8 x 8 pixels: check the input.")
    spacing = find_spacing(image) if spacing is None else spacing
    narrow, wide = max(0.15 * spacing, 0.7), 0.5 * spacing
    filtered = gaussian_filter(image, narrow) - gaussian_filter(image, wide)
    peaks = peak_local_max(filtered, min_distance=max(1, int(0.35 * spacing)), exclude_border=False)
    height = filtered[tuple(peaks.T)]
    # White noise of standard deviation s: what the finest scale (second differences, variance 36 s^2) shows
    # of it, and what the filter leaves of it, the square root of the sum of its squared coefficients.
    fine = image[1:-1, 1:-1] * 4 - 2 * (image[:-2, 1:-1] + image[2:, 1:-1] + image[1:-1, :-2] + image[1:-1, 2:])
    fine += image[:-2, :-2] + image[:-2, 2:] + image[2:, :-2] + image[2:, 2:]
    white = 1.4826 * np.median(np.abs(fine)) / 6
    left = (1 / narrow**2 + 1 / wide**2 - 4 / (narrow**2 + wide**2)) / (4 * np.pi)
    floor = max(noise * white * np.sqrt(left), 1e-9 * np.ptp(image))
    if not (height > floor).any():
        raise EmrestoreError("no column rises above the noise: restore the image first.")
    peaks = peaks[height > max(floor, threshold * np.percentile(height[height > floor], 95))]

    padded = np.pad(filtered, 1, mode="edge")
    y, x = peaks.T + 1
    shifts = []
    for before, after in ((padded[y, x - 1], padded[y, x + 1]), (padded[y - 1, x], padded[y + 1, x])):
        bend = before - 2 * padded[y, x] + after
        shifts.append(np.clip(np.where(bend < 0, 0.5 * (before - after) / np.where(bend < 0, bend, 1), 0), -0.5, 0.5))
    found = np.stack([x - 1 + shifts[0], y - 1 + shifts[1]], axis=1)
    return found[np.lexsort((found[:, 0], found[:, 1]))]


def match(found: np.ndarray, true: np.ndarray, radius: float) -> dict:
    """Match found to true columns one to one, as many as lie within ``radius``, at the least total distance.

    Parameters
    ----------
    found, true
        (n, 2), (m, 2) x, y [px].
    radius
        Furthest that a found column may lie from its true one [px].

    Returns
    -------
    dict
        ``pairs`` (p, 2) indices into found and true; ``precision`` p / n, ``recall`` p / m (1 where nothing
        was found or nothing is there), ``f1`` 2 p / (n + m).
    """
    found, true = np.reshape(found, (-1, 2)), np.reshape(true, (-1, 2))
    distance = cdist(found, true)
    # a pair that is too far costs more than any set of allowed ones
    cost = np.where(distance <= radius, distance, radius * (min(distance.shape) + 1.0))
    pairs = np.stack(linear_sum_assignment(cost), axis=1)
    pairs = pairs[distance[tuple(pairs.T)] <= radius]
    n, m, p = len(found), len(true), len(pairs)
    return {
        "pairs": pairs,
        "precision": p / n if n else 1.0,
        "recall": p / m if m else 1.0,
        "f1": 2 * p / (n + m) if n + m else 1.0,
    }
