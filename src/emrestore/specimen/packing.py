"""Points at random places that keep a distance from each other, and the films and clouds of atoms made of them."""

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_masses
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import HEAVIEST
from emrestore.specimen.atoms import Atoms, Unplaceable
from emrestore.specimen.structure import Structure

#: One g/cm³ over one atomic mass unit, in atoms per Å³.
DENSITY = 0.602214
#: Share of the volume that spheres can fill when each is put at random beside the earlier ones is 0.384 (Talbot et al.,
#: Phys. Rev. A 43, 1991); as it is neared attempts go without bound, so it ends here.
JAMMED = 0.32
ROUNDS = 200


def scatter(
    count: int, box: np.ndarray, distance: float, generator: np.random.Generator, periodic: bool = False
) -> np.ndarray:
    """Put points into a box one after the other, each at random where it keeps its distance.

    Parameters
    ----------
    count
        How many.
    box
        (d,) edges.
    distance
        Smallest distance between points, in the unit of ``box``.
    generator
        Stream.
    periodic
        Whether the box repeats.

    Returns
    -------
    ndarray
        (count, d) points within [0, box).

    Raises
    ------
    Unplaceable
        If there is no room.
    """
    size = box if periodic else None
    points = np.empty((0, len(box)))
    for _ in range(ROUNDS):
        missing = count - len(points)
        if missing == 0:
            return points
        new = generator.random((missing + missing // 2 + 8, len(box))) * box
        if len(points):
            new = new[cKDTree(points, boxsize=size).query(new, distance_upper_bound=distance)[0] >= distance]
        # of two new points that are too near, the later one goes, unless an even earlier one has removed the first
        pairs = cKDTree(new, boxsize=size).query_pairs(distance, output_type="ndarray")
        keep = np.ones(len(new), bool)
        while len(pairs):
            first, later = pairs.min(1), pairs.max(1)
            # points that are later in no pair stay for certain
            sure = np.ones(len(new), bool)
            sure[later] = False
            keep[later[sure[first]]] = False
            pairs = pairs[keep[pairs].all(1)]
        points = np.concatenate([points, new[keep][:missing]])
    raise Unplaceable("points this dense jam")


@dataclass(frozen=True)
class AmorphousRanges:
    """What an amorphous solid is drawn from.

    Attributes
    ----------
    z
        Atomic numbers; a solid has one.
    density
        Mass density [g/cm³].
    distance
        Smallest distance between atoms [Å].
    tile
        Edge of the cube of atoms that repeats [Å].
    """

    z: tuple[int, int]
    density: tuple[float, float]
    distance: tuple[float, float]
    tile: float


def draw_amorphous(ranges: AmorphousRanges, generator: np.random.Generator) -> tuple[Structure, dict]:
    """Draw a cube of an amorphous solid that repeats without seams.

    Returns
    -------
    structure : Structure
        The cube.
    parameters : dict
        ``elements`` (the one), ``density`` as drawn [g/cm³], ``distance`` as drawn [Å], ``atoms`` in the cube.

    Raises
    ------
    Unplaceable
        If atoms of the drawn kind cannot be packed that densely at the drawn distance.

    Notes
    -----
    Paper, "Specimen generation", first step; the cube is ours, so that the cost does not grow with the field.
    """
    z = int(generator.integers(ranges.z[0], ranges.z[1], endpoint=True))
    density, distance = generator.uniform(*ranges.density), generator.uniform(*ranges.distance)
    if packing(z, density, distance) > JAMMED:
        raise Unplaceable(f"{density:.1f} g/cm³ of atoms this light jam at this distance")
    count = round(_number_density(z, density) * ranges.tile**3)
    places = scatter(count, np.full(3, ranges.tile), distance, generator, periodic=True) / ranges.tile
    found = {"elements": [z], "density": float(density), "distance": float(distance), "atoms": count}
    return Structure(np.eye(3) * ranges.tile, places, np.full(count, z, np.int16)), found


def packing(z: int | np.ndarray, density: float, distance: float) -> float | np.ndarray:
    """Give the share of the volume in spheres of this diameter about the atoms."""
    return _number_density(z, density) * np.pi * distance**3 / 6


def _number_density(z: int | np.ndarray, density: float) -> float | np.ndarray:
    """Give atoms per Å³."""
    return density * DENSITY / atomic_masses[z]


@dataclass(frozen=True)
class PointRanges:
    """What single atoms in the box are drawn from.

    Attributes
    ----------
    species
        Number of elements.
    z
        Atomic numbers.
    count
        How many.
    distance
        Smallest distance between them [px].
    """

    species: tuple[int, int]
    z: tuple[int, int]
    count: tuple[int, int]
    distance: tuple[float, float]


def draw_points(
    ranges: PointRanges, box: np.ndarray, pixel_size: float, generator: np.random.Generator
) -> tuple[Atoms, dict]:
    """Draw single atoms in a box, their number log-uniformly.

    Raises
    ------
    Unplaceable
        If there is no room for them.
    """
    count = int(np.exp(generator.uniform(np.log(ranges.count[0]), np.log(ranges.count[1] + 1))))
    distance = generator.uniform(*ranges.distance)
    species = int(generator.integers(*ranges.species, endpoint=True))
    elements = generator.choice(np.arange(ranges.z[0], ranges.z[1] + 1), species)
    if count * np.pi * (distance * pixel_size) ** 3 / 6 > JAMMED * box.prod():
        raise Unplaceable("points this dense jam")
    atoms = Atoms(
        scatter(count, box, distance * pixel_size, generator), generator.choice(elements, count).astype(np.int16)
    )
    return atoms, {
        "elements": np.unique(atoms.numbers).tolist(),
        "atoms": count,
        "distance": float(distance * pixel_size),
    }


def check_amorphous(ranges: AmorphousRanges) -> None:
    """Refuse ranges that give no amorphous solid.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    _check_elements(ranges.z)
    for name in ("density", "distance"):
        low, high = getattr(ranges, name)
        if not 0 < low <= high:
            raise EmrestoreError(f"'{name}' must be a range above 0, not {low} to {high}")
    loosest = packing(np.arange(ranges.z[0], ranges.z[1] + 1), ranges.density[0], ranges.distance[0]).min()
    if loosest > JAMMED:
        raise EmrestoreError(
            f"'distance' from {ranges.distance[0]} Å on is above what a 'density' of {ranges.density[0]} g/cm³ allows, "
            "for any element of 'z'"
        )
    if not ranges.tile > 4 * ranges.distance[1]:
        raise EmrestoreError(f"'tile' must be above four times the greatest 'distance', not {ranges.tile} Å")


def check_points(ranges: PointRanges) -> None:
    """Refuse ranges that give no points.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    _check_elements(ranges.z)
    for name in ("species", "count", "distance"):
        low, high = getattr(ranges, name)
        if not 1 <= low <= high:
            raise EmrestoreError(f"'{name}' must be a range from 1 on, not {low} to {high}")


def _check_elements(z: tuple[int, int]) -> None:
    if not 1 <= z[0] <= z[1] <= HEAVIEST:
        raise EmrestoreError(f"'z' must be a range within 1 to {HEAVIEST}, not {z[0]} to {z[1]}")
