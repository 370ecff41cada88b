"""Random crystals: a space group, a cell that it allows, and sites on general and special positions."""

import functools
from dataclasses import dataclass

import numpy as np
import spglib
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import HEAVIEST
from emrestore.specimen.atoms import Unplaceable
from emrestore.specimen.structure import Structure

#: Volume of a cell over that of a box of the same edges, below which it is too flat to be a crystal's.
FLATTEST = 0.1
#: Attempts to place a site before it is given up, and averages that take a point to its special position.
TRIES = 6
AVERAGES = 8
#: What two places [Å] may differ by and still be one.
SAME = 1e-3


@dataclass(frozen=True)
class Ranges:
    """What a crystal is drawn from.

    Attributes
    ----------
    species
        Number of sites, each of its own random element.
    z
        Atomic numbers.
    group
        Number of the space group.
    length
        Lattice parameters [Å].
    angle
        Angles of the cell [degrees], where its system leaves them free.
    distance
        Smallest distance between atoms [Å].
    """

    species: tuple[int, int]
    z: tuple[int, int]
    group: tuple[int, int]
    length: tuple[float, float]
    angle: tuple[float, float]
    distance: tuple[float, float]


@functools.cache
def operators(group: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the rotations (m, 3, 3) and translations (m, 3) of a space group in its first setting in spglib's list.

    Monoclinic cells have their unique axis along b, rhombohedral ones are hexagonal.
    """
    symmetry = spglib.get_symmetry_from_database(_settings()[group])
    return symmetry["rotations"].astype(float), symmetry["translations"]


@functools.cache
def _settings() -> dict[int, int]:
    """Give the first Hall number of each space group."""
    groups = {hall: spglib.get_spacegroup_type(hall).number for hall in range(530, 0, -1)}
    return {group: hall for hall, group in groups.items()}


def draw_cell(ranges: Ranges, group: int, generator: np.random.Generator) -> np.ndarray:
    """Draw lattice vectors that a space group allows: (3, 3), as rows [Å].

    Lengths are log-uniform, since the crystals that people look at mostly have small cells; angles are uniform.

    Raises
    ------
    Unplaceable
        If the drawn angles close no cell.
    """
    a, b, c = np.exp(generator.uniform(*np.log(ranges.length), 3))
    alpha, beta, gamma = generator.uniform(*ranges.angle, 3)
    if group > 2:
        alpha, gamma = 90.0, 90.0
    if group > 15:
        beta = 90.0
    if group > 74:
        b = a
    if 142 < group < 195:
        gamma = 120.0
    if group > 194:
        c = a
    cos = np.cos(np.radians([alpha, beta, gamma]))
    share = 1 + 2 * cos.prod() - (cos**2).sum()
    if share < FLATTEST**2:
        raise Unplaceable("the angles close no cell")
    sin = np.sqrt(1 - cos[2] ** 2)
    third = [cos[1], (cos[0] - cos[1] * cos[2]) / sin, np.sqrt(share) / sin]
    return np.array([[a, 0, 0], [b * cos[2], b * sin, 0], c * np.array(third)])


def sample(ranges: Ranges, generator: np.random.Generator) -> tuple[Structure, dict]:
    """Draw a crystal.

    A smallest distance is drawn as well, log-uniformly from its range. Images of a point that are closer than it to
    the point and to each other merge on the special position between them. Great distances thus make few atoms on
    special positions, as in metals and simple compounds, small ones make crowded general positions.

    Parameters
    ----------
    ranges
        What to draw from.
    generator
        Stream.

    Returns
    -------
    crystal : Structure
        With all images of all sites.
    parameters : dict
        ``group``, ``cell`` (a, b, c [Å], α, β, γ [degrees]), ``elements``, ``distance`` (the smallest one found [Å]).

    Raises
    ------
    Unplaceable
        If no site finds room, or atoms are further apart than the range allows.

    Notes
    -----
    Paper, "Specimen generation", first step.
    """
    group = int(generator.integers(ranges.group[0], ranges.group[1], endpoint=True))
    count = int(generator.integers(ranges.species[0], ranges.species[1], endpoint=True))
    elements = generator.choice(np.arange(ranges.z[0], ranges.z[1] + 1), count)
    wanted = float(np.exp(generator.uniform(*np.log(ranges.distance))))
    cell = draw_cell(ranges, group, generator)
    near = _near(cell, wanted)
    if np.linalg.norm(near @ cell, axis=1)[1:].min(initial=np.inf) < wanted:
        raise Unplaceable("the cell is smaller than the smallest distance")
    rotations, translations = operators(group)
    places, numbers = np.empty((0, 3)), []
    for element in elements:
        for _ in range(TRIES):
            orbit = _orbit(generator.random(3), rotations, translations, cell, near, wanted)
            if orbit is not None and (not len(places) or _gap(orbit[:1], places, cell, near) >= wanted):
                places, numbers = np.concatenate([places, orbit]), numbers + [element] * len(orbit)
                break
    if not numbers:
        raise Unplaceable("no site finds room in the cell")
    crystal = Structure(cell, places, np.array(numbers, np.int16))
    distance = smallest_distance(crystal, ranges.distance[1])
    if not wanted * (1 - 1e-9) <= distance <= ranges.distance[1]:
        raise Unplaceable(f"the smallest distance, {distance:.2f} Å, is out of range")
    lengths = np.linalg.norm(cell, axis=1)
    unit = cell / lengths[:, None]
    angles = np.degrees(np.arccos([unit[1] @ unit[2], unit[0] @ unit[2], unit[0] @ unit[1]]))
    return crystal, {
        "group": group,
        "cell": [round(float(value), 4) for value in (*lengths, *angles)],
        "elements": sorted({int(number) for number in numbers}),
        "atoms": len(numbers),
        "distance": float(distance),
    }


def smallest_distance(crystal: Structure, largest: float) -> float:
    """Give the smallest distance between atoms, periodic images included [Å]; infinite if none is below ``largest``."""
    near = _near(crystal.cell, largest, apart=1)
    self_distance = np.linalg.norm(near @ crystal.cell, axis=1)[1:].min(initial=np.inf)
    if len(crystal.places) == 1:
        return self_distance if self_distance <= largest else np.inf
    # all images that a ball of the largest distance about the cell can hold
    image = (crystal.places[None] + near[:, None]).reshape(-1, 3)
    margin = largest / _heights(crystal.cell)
    image = image[((image > -margin) & (image < 1 + margin)).all(1)]
    distances, _ = cKDTree(image @ crystal.cell).query(crystal.places @ crystal.cell, k=2)
    found = min(float(distances[:, 1].min()), self_distance)
    return found if found <= largest else np.inf


def _orbit(point, rotations, translations, cell, near, wanted) -> np.ndarray | None:
    """Give all images of a point (n, 3), after taking it to the special position its near images lie about.

    None if images stay closer than wanted.
    """
    for _ in range(AVERAGES):
        difference = _closest(rotations @ point + translations - point, cell, near)
        distance = np.sqrt(((difference @ cell) ** 2).sum(1))
        move = difference[distance < wanted].mean(0)
        if np.abs(move).max() < 1e-10:
            break
        point = point + move
    else:
        return None
    if ((distance > SAME) & (distance < wanted)).any():
        return None
    images = (rotations @ point + translations) % 1.0
    # an image on a special position comes once for each operator that leaves the point in place
    count = len(images) // int((distance <= SAME).sum())
    unique = np.unique(np.round(images, 6) % 1.0, axis=0, return_index=True)[1]
    return images[unique] if len(unique) == count else None


def _gap(point: np.ndarray, places: np.ndarray, cell: np.ndarray, near: np.ndarray) -> float:
    """Give the distance of a point from the nearest of some places or their periodic images [Å]."""
    return float(np.sqrt(((_closest(places - point, cell, near) @ cell) ** 2).sum(1).min()))


def _closest(difference: np.ndarray, cell: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Give each difference (n, 3) of fractional coordinates by its shortest equivalent."""
    difference = difference - np.round(difference)
    metric = cell @ cell.T
    # |d + n|² without the term that is the same for all n
    square = difference @ (2 * metric @ near.T) + ((near @ cell) ** 2).sum(1)
    return difference + near[square.argmin(1)]


def _near(cell: np.ndarray, distance: float, apart: float = 0.5) -> np.ndarray:
    """Give the lattice vectors (k, 3), zero first, that can bring two atoms as near as this.

    Their fractional coordinates differ by up to ``apart``.
    """
    most = np.floor(distance / _heights(cell) + apart).astype(int)
    vectors = np.stack(np.meshgrid(*[np.arange(-n, n + 1) for n in most], indexing="ij"), -1).reshape(-1, 3)
    return vectors[np.argsort(np.abs(vectors).sum(1), kind="stable")]


def _heights(cell: np.ndarray) -> np.ndarray:
    """Give the distances between opposite faces of a cell [Å]."""
    return 1 / np.linalg.norm(np.linalg.inv(cell), axis=0)


def check(ranges: Ranges) -> None:
    """Refuse ranges that give no crystal.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name, least, most in (("species", 1, np.inf), ("z", 1, HEAVIEST), ("group", 1, 230)):
        low, high = getattr(ranges, name)
        if not least <= low <= high <= most:
            raise EmrestoreError(f"'{name}' must be a range within {least} to {most:g}, not {low} to {high}")
    for name in ("length", "distance"):
        low, high = getattr(ranges, name)
        if not 0 < low <= high:
            raise EmrestoreError(f"'{name}' must be a range above 0 Å, not {low} to {high}")
    if ranges.distance[0] > ranges.length[1]:
        raise EmrestoreError(
            f"'distance' must begin below the longest edge of a cell, {ranges.length[1]} Å, not at {ranges.distance[0]}"
        )
    low, high = ranges.angle
    # α, β and γ close a cell if each is less than the sum of the others, and all sum to less than 360°
    if not 0 < low <= high < 180 or low >= 120:
        raise EmrestoreError(f"'angle' must be a range within 0 to 120 degrees for cells to close, not {low} to {high}")
