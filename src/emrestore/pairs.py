"""Pairs of a clean image and its noisy realisations, in electrons per pixel."""

import numpy as np

from emrestore.errors import EmrestoreError
from emrestore.rng import Part, stream


def expected_counts(fraction: np.ndarray, dose: float, pixel_size: float) -> np.ndarray:
    """Give the expected electrons per pixel: dose x pixel area x detected fraction.

    Parameters
    ----------
    fraction
        (..., Y, X) detected fraction of the incident beam.
    dose
        Incident electrons per area [e/Å²].
    pixel_size
        Edge of a square pixel [Å].

    Raises
    ------
    EmrestoreError
        If dose or pixel size is not positive, or a fraction is negative, above one or not finite.
    """
    if not (dose > 0 and pixel_size > 0):
        raise EmrestoreError(f"dose ({dose} e/Å²) and pixel size ({pixel_size} Å) must be positive")
    if not (np.isfinite(fraction).all() and fraction.min() >= 0 and fraction.max() <= 1):
        raise EmrestoreError("detected fractions must be finite and within 0 and 1; is the image a simulated one?")
    return fraction * (dose * pixel_size**2)


def draw_counts(expected: np.ndarray, realisations: int, seed: int, *address: Part) -> np.ndarray:
    """Draw independent Poisson realisations of one image, each from its own addressed stream.

    Parameters
    ----------
    expected
        (Y, X) expected electrons per pixel.
    realisations
        Number of noisy images R.
    seed
        Root seed.
    address
        What the images are; the realisation's number is added to it.

    Returns
    -------
    ndarray
        (R, Y, X) uint32 counts.
    """
    draws = [stream(seed, *address, number).poisson(expected) for number in range(realisations)]
    return np.stack(draws).astype(np.uint32)
