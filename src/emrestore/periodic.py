"""Periodic images: broadening by a finite source and exact sampling at any pixel size, through their Fourier series."""

import numpy as np


def frequencies(count: int) -> np.ndarray:
    """Give the signed integer frequencies of ``count`` samples, in the order of ``numpy.fft``."""
    return np.fft.fftfreq(count, 1 / count)


def broaden(image: np.ndarray, cell: tuple[float, float], sigma: float) -> np.ndarray:
    """Convolve with a Gaussian, the finite effective source.

    Parameters
    ----------
    image
        (..., Y, X) samples of one period.
    cell
        Period along x and y [Å].
    sigma
        Standard deviation of the source along either axis [Å]; its half width at half maximum is
        sigma sqrt(2 ln 2).

    Returns
    -------
    ndarray
        (..., Y, X); the mean is unchanged.
    """
    ny, nx = image.shape[-2:]
    transfer_y = np.exp(-2 * (np.pi * sigma * frequencies(ny) / cell[1]) ** 2)
    transfer_x = np.exp(-2 * (np.pi * sigma * frequencies(nx) / cell[0]) ** 2)
    return np.fft.ifft2(np.fft.fft2(image) * transfer_y[:, None] * transfer_x).real


def symmetrise_4mm(image: np.ndarray) -> np.ndarray:
    """Average over the eight operations of 4mm about the sample at (0, 0).

    Parameters
    ----------
    image
        (..., N, N) samples of one square period.
    """
    mirrored = image + np.roll(image[..., ::-1, :], 1, axis=-2)
    mirrored = mirrored + np.roll(mirrored[..., ::-1], 1, axis=-1)
    return (mirrored + mirrored.swapaxes(-1, -2)) / 8


def sample(
    image: np.ndarray, cell: tuple[float, float], pixel_size: float, shape: tuple[int, int], origin: tuple[float, float]
) -> np.ndarray:
    """Evaluate the Fourier series of a periodic image at the centres of square pixels.

    Exact for an image that its samples determine, as they do a STEM image whose scan step is at most λ / 4α. Values
    are those at the centres: a probe is not moved within a dwell time.

    Parameters
    ----------
    image
        (..., Y, X) samples of one period, the first at (0, 0).
    cell
        Period along x and y [Å].
    pixel_size
        Edge of a pixel [Å].
    shape
        (Y', X') of the result [px].
    origin
        x, y of the centre of pixel (0, 0) [Å].

    Returns
    -------
    ndarray
        (..., Y', X').
    """
    matrices = []
    for length, count, period, start in zip(image.shape[-2:], shape, cell[::-1], tuple(origin)[::-1], strict=True):
        place = (start + pixel_size * np.arange(count)) / period
        waves = np.exp(2j * np.pi * np.outer(place, frequencies(length)))
        if length % 2 == 0:  # the Nyquist term stands for both signs: a cosine keeps the result real
            waves[:, length // 2] = waves[:, length // 2].real
        # as a matrix from samples to pixels: inverse series after forward transform
        matrices.append((waves @ np.fft.fft(np.eye(length), axis=0)).real / length)
    rows, columns = matrices
    return rows @ image @ columns.T
