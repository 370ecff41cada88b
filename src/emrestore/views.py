"""Views of a periodic crystal, alone or with what networks were not trained on: another crystal, a film, or nothing.

Layers add up in intensity, as the signals of thin specimens on a HAADF detector nearly do; what one does to the probe
of the next is left out.
"""

import numpy as np
from ase.data import atomic_masses, atomic_numbers
from scipy.constants import atomic_mass
from scipy.ndimage import gaussian_filter, map_coordinates
from scipy.spatial import cKDTree

from emrestore.periodic import sample

#: Columns of two crystals nearer than this are one for the fit [Å]: about the resolution.
RESOLVED = 0.9
#: Samples per pixel, and least samples per period, of the image that a turned crystal is interpolated in.
FINER = 4


def turned(
    image: np.ndarray, period: float, angle: float, pixel_size: float, shape: tuple[int, int], origin: np.ndarray
) -> np.ndarray:
    """Evaluate a periodic image that is turned about the middle of the field.

    Parameters
    ----------
    image
        (N, N) samples of one square period.
    period
        Its edge [Å].
    angle
        Of the crystal in the image [degrees], from x towards y.
    pixel_size, shape, origin
        As :func:`emrestore.periodic.sample` takes them.

    Returns
    -------
    ndarray
        (Y, X). Cubic splines of samples ``pixel_size / 4`` apart or closer err by 1e-4 of the peak or less.
    """
    count = int(np.ceil(FINER * period / pixel_size))
    fine = sample(image, (period, period), period / count, (count, count), (0, 0))
    y, x = np.mgrid[: shape[0], : shape[1]]
    places = turn(np.stack([x, y], axis=-1) * pixel_size + origin, -angle, middle(pixel_size, shape, origin))
    return map_coordinates(fine, np.moveaxis(places[..., ::-1], -1, 0) * count / period, order=3, mode="grid-wrap")


def middle(pixel_size: float, shape: tuple[int, int], origin: np.ndarray) -> np.ndarray:
    """Give x, y of the middle of a field [Å]."""
    return np.asarray(origin) + pixel_size * (np.array(shape[::-1]) - 1) / 2


def turn(places: np.ndarray, angle: float, about: np.ndarray) -> np.ndarray:
    """Turn points (..., 2), x and y, about another by an angle [degrees], from x towards y."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return (places - about) @ np.array([[c, s], [-s, c]]) + about


def merge(sites: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Join two sets of columns (n, 2) and (m, 2) [Å]; pairs closer than :data:`RESOLVED` become one midway."""
    distance, partner = cKDTree(sites).query(others, distance_upper_bound=RESOLVED)
    close = np.isfinite(distance)
    joined = sites.copy()
    joined[partner[close]] = (sites[partner[close]] + others[close]) / 2
    return np.concatenate([joined, others[~close]])


def film(
    thickness: tuple[float, float],
    shape: tuple[int, int],
    pixel_size: float,
    cross_section: float,
    generator: np.random.Generator,
    *,
    density: float,
    sigma: float,
    uniform: bool = False,
) -> np.ndarray:
    """Give the detected fraction of an amorphous carbon film.

    Parameters
    ----------
    thickness
        At the left and at the right edge of the field [Å].
    shape
        (Y, X) [px].
    pixel_size
        Edge of a pixel [Å].
    cross_section
        Of a carbon atom [Å²].
    generator
        Stream of the atoms' places, which are independent of each other.
    density
        [g/cm³].
    sigma
        Width of an atom's image [Å].
    uniform
        The mean over all films in place of one.

    Returns
    -------
    ndarray
        (Y, X); a film of n atoms per Å² has the mean fraction n times the cross section.
    """
    per_volume = density * 1e-3 / (atomic_masses[atomic_numbers["C"]] * atomic_mass) * 1e-24  # atoms/Å³
    expected = per_volume * pixel_size**2 * np.linspace(*thickness, shape[1]) * np.ones((shape[0], 1))
    atoms = expected if uniform else gaussian_filter(generator.poisson(expected).astype(float), sigma / pixel_size)
    return atoms * cross_section / pixel_size**2
