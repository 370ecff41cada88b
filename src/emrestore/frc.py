"""Fourier ring correlation: up to which frequency do images agree, with one another and with the truth?

Over the Fourier pixels of a ring, FRC = Re Σ A B* / √(Σ|A|² Σ|B|²) (Saxton and Baumeister 1982; van Heel and Schatz,
J. Struct. Biol. 151, 250, 2005). Of two recordings of one specimen with additive noise, independent of each other and
of the signal, it is S / (S + N), with S and N the powers of signal and noise in the ring; that of a recording with the
truth is √(S / (S + N)). Hence for unbiased images

    FRC_pair = FRC_truth²,

and no filter changes this that multiplies all Fourier pixels of a ring by one factor. If recordings have an error in
common, of power B and not correlated with the signal, FRC_pair = (S + B) / (S + B + N) and FRC_truth² =
S / (S + B + N): their difference is the share of the ring's power that comes back in every image and is false. In
general, with m the mean image and t the truth, FRC_truth² = (Σ m t*)² / (Σ|t|² Σ|A|²) <= Σ|m|² / Σ|A|² = FRC_pair, as
Cauchy and Schwarz have it, and they are equal only where m is the truth times a factor.
"""

import numpy as np
import pandas as pd

from emrestore.averaging import one_out, own_and_pairs
from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval

#: FRC of a pair above which a map is taken to be interpretable, 1/7 (Rosenthal and Henderson 2003); a convention.
SEVENTH = 1 / 7


def ring_products(images: np.ndarray, window: str = "hann") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum the products of images' Fourier transforms over rings.

    Parameters
    ----------
    images
        (N, Y, X), finite.
    window
        ``"hann"``: the mean is taken off every image, and what is left falls to zero at its edges along both axes, so
        that edges that do not match leave no cross in the transform; ``"none"``, for images that are periodic.

    Returns
    -------
    frequency : ndarray
        (Q,) centres of the rings [1/px], 1/E, 2/E, ... 1/2 with E the shorter edge; a ring holds what is nearer to it
        than to others. The mean (frequency zero) belongs to none.
    pixels : ndarray
        (Q,) Fourier pixels of each.
    products : ndarray
        (Q, N, N) real parts of Σ A_i A_j*.

    Raises
    ------
    EmrestoreError
        If images are not finite, or the window is not known.
    """
    images = np.asarray(images, dtype=float)
    if images.ndim != 3 or not np.isfinite(images).all():
        raise EmrestoreError("Fourier rings need images (N, Y, X) of finite pixels: replace those that are NaN")
    if window not in ("hann", "none"):
        raise EmrestoreError(f"the window is 'hann' or 'none', not {window!r}")
    images = images - images.mean(axis=(1, 2), keepdims=True)
    if window == "hann":
        images = images * np.multiply.outer(*(_hann(edge) for edge in images.shape[1:]))
    edge = min(images.shape[1:])
    radius = np.hypot(*np.meshgrid(*(np.fft.fftfreq(side) for side in images.shape[1:]), indexing="ij"))
    ring = np.round(edge * radius).astype(int)
    spectra = np.fft.fft2(images)
    rings = np.arange(1, edge // 2 + 1)
    inside = [spectra[:, ring == number] for number in rings]
    return rings / edge, np.array([part.shape[1] for part in inside]), np.stack([(a @ a.conj().T).real for a in inside])


def fourier_ring_correlation(first: np.ndarray, second: np.ndarray, window: str = "hann") -> pd.DataFrame:
    """Correlate two images over Fourier rings.

    Parameters
    ----------
    first, second
        (Y, X) of one shape.
    window
        As :func:`ring_products` takes it.

    Returns
    -------
    DataFrame
        ``frequency`` [1/px], ``pixels`` of the ring, ``frc`` (NaN where an image has no power) and ``half_bit``, see
        :func:`half_bit`.
    """
    frequency, pixels, products = ring_products(np.stack([first, second]), window)
    with np.errstate(divide="ignore", invalid="ignore"):
        frc = products[:, 0, 1] / np.sqrt(products[:, 0, 0] * products[:, 1, 1])
    return pd.DataFrame(
        {"frequency": frequency, "pixels": pixels, "frc": frc, "half_bit": half_bit(independent(pixels, window))}
    )


def agreement(images: np.ndarray, truth: np.ndarray, window: str = "hann") -> pd.DataFrame:
    """Hold the correlation of realisations with one another against that with the truth, ring by ring.

    Parameters
    ----------
    images
        (R, Y, X) independent realisations, R >= 3.
    truth
        (Y, X) what they are of.
    window
        As :func:`ring_products` takes it.

    Returns
    -------
    DataFrame
        A row per ring: ``frequency`` [1/px], ``pixels``, ``half_bit`` (:func:`half_bit`); ``pair``, FRC_pair, the mean
        product of different realisations over the mean power of one; ``truth_squared``, FRC_truth², from the products
        of different realisations' correlations with the truth, so that noise does not raise it; ``common``, their
        difference: the share of power that is repeatable and false, zero for unbiased images (see above). Intervals of
        95 % (``_low, _high``) by jackknife over realisations. NaN where a ring has no power. ``power`` and
        ``true_power``: the shares of all rings' power that the ring has in one realisation and in the truth.

    Raises
    ------
    EmrestoreError
        If there are fewer than three realisations.
    """
    if len(images) < 3:
        raise EmrestoreError("an interval needs three realisations or more: draw more")
    frequency, pixels, products = ring_products(np.concatenate([images, truth[None]]), window)
    mutual, with_truth, true = products[:, :-1, :-1], products[:, :-1, -1], products[:, -1, -1]
    projected = with_truth[:, :, None] * with_truth[:, None, :] / true[:, None, None]

    def correlations(mutual: np.ndarray, projected: np.ndarray) -> np.ndarray:
        own, pairs = own_and_pairs(mutual)
        _, true_pairs = own_and_pairs(projected)
        return np.stack([pairs, true_pairs, pairs - true_pairs]) / own

    with np.errstate(divide="ignore", invalid="ignore"):
        whole = correlations(mutual, projected)
        parts = np.stack([correlations(*both) for both in zip(one_out(mutual), one_out(projected), strict=True)])
        low, high = jackknife_interval(whole, parts)
    table = {"frequency": frequency, "pixels": pixels, "half_bit": half_bit(independent(pixels, window))}
    for place, name in enumerate(("pair", "truth_squared", "common")):
        table |= {name: whole[place], f"{name}_low": low[place], f"{name}_high": high[place]}
    own = own_and_pairs(mutual)[0]
    return pd.DataFrame(table | {"power": own / own.sum(), "true_power": true / true.sum()})


def independent(pixels: np.ndarray, window: str = "hann") -> np.ndarray:
    """Give how many of a ring's Fourier pixels are independent for white noise.

    Half of them, as images are real; and as a window w makes neighbours alike, (Σw²)² / (P Σw⁴) of these, P the
    image's pixels: (18/35)² for a Hann window along both axes.
    """
    return np.asarray(pixels) / 2 * (18 / 35) ** (2 if window == "hann" else 0)


def half_bit(independent: np.ndarray) -> np.ndarray:
    """Give the 1/2-bit threshold of FRC_pair (van Heel and Schatz 2005), a convention.

    The expected FRC of two images whose mean holds half a bit of information per Fourier pixel, log2(1 + SNR) = 1/2:
    each has half that ratio, s = (√2 - 1) / 2, and n independent pixels give (s + (1 + 2√s) / √n) / (s + 1 + 2√s / √n).

    Parameters
    ----------
    independent
        Independent Fourier pixels n of each ring.
    """
    s, root = (2**0.5 - 1) / 2, np.sqrt(independent)
    return np.minimum((s + (1 + 2 * s**0.5) / root) / (s + 1 + 2 * s**0.5 / root), 1.0)


def crossing(frequency: np.ndarray, correlation: np.ndarray, threshold: np.ndarray | float) -> tuple[float, float]:
    """Give the frequencies at which a correlation falls below a threshold, interpolated linearly.

    Between the reflections of a crystal there is little signal, and the first time says little; after the last time,
    single rings of noise count.

    Parameters
    ----------
    frequency, correlation
        (Q,) of rings, in rising order; a correlation that is NaN is not above any threshold.
    threshold
        One, or (Q,).

    Returns
    -------
    first, last : float
        The first and the last time, in the unit of ``frequency``: zero where no ring is above (or the first one is not,
        for ``first``), infinite where all are (or the last one is, for ``last``).
    """
    above = np.append(np.nan_to_num(np.asarray(correlation) - threshold, nan=-np.inf), -np.inf)
    falls = np.flatnonzero((above[:-1] >= 0) & (above[1:] < 0))
    if not len(falls):
        return 0.0, 0.0

    def interpolate(ring: int) -> float:
        if ring == len(frequency) - 1:
            return np.inf
        step = above[ring] / (above[ring] - above[ring + 1])
        return float(frequency[ring] + step * (frequency[ring + 1] - frequency[ring]))

    return interpolate(falls[0]) if above[0] >= 0 else 0.0, interpolate(falls[-1])


def _hann(edge: int) -> np.ndarray:
    """Give a Hann window whose zeros lie half a pixel outside the first and last of ``edge`` pixels."""
    return np.sin(np.pi * (np.arange(edge) + 0.5) / edge) ** 2
