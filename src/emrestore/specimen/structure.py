"""Periodic structures, crystals or tiles of glass, and boxes filled with them."""

from dataclasses import dataclass

import numpy as np

from emrestore.specimen.atoms import Atoms

#: The corners of a unit cube about the origin.
CORNERS = np.stack(np.meshgrid(*[[-0.5, 0.5]] * 3, indexing="ij"), -1).reshape(-1, 3)


@dataclass(frozen=True)
class Structure:
    """Atoms that repeat in three directions.

    Attributes
    ----------
    cell
        (3, 3) lattice vectors as rows [Å].
    places
        (n, 3) fractional coordinates in [0, 1).
    numbers
        (n,) int16 atomic numbers.
    """

    cell: np.ndarray
    places: np.ndarray
    numbers: np.ndarray


def fill(structure: Structure, rotation: np.ndarray, box: np.ndarray, origin: np.ndarray) -> Atoms:
    """Fill a box with a rotated structure.

    Parameters
    ----------
    structure
        What repeats.
    rotation
        (3, 3) matrix that takes vectors of the structure to those of the box.
    box
        (3,) edges of the box [Å].
    origin
        (3,) fractional coordinates of the point that lies at the box's centre.

    Returns
    -------
    Atoms
        All atoms within [0, box).
    """
    cell = structure.cell @ rotation.T
    corners = (CORNERS * box) @ np.linalg.inv(cell) + origin
    low, high = np.floor(corners.min(0)).astype(int), np.ceil(corners.max(0)).astype(int)
    corner = np.stack(np.meshgrid(*map(np.arange, low, high), indexing="ij"), -1).reshape(-1, 3) - origin
    corner = corner @ cell + box / 2
    # a cell can hold an atom of the box only if its centre is within half its extent of it
    reach, centre = np.abs(CORNERS @ cell).max(0), corner + cell.sum(0) / 2
    corner = corner[((centre > -reach) & (centre < box + reach)).all(1)]
    positions = (corner[:, None] + structure.places @ cell).reshape(-1, 3)
    inside = ((positions >= 0) & (positions < box)).all(1)
    return Atoms(positions[inside], np.tile(structure.numbers, len(corner))[inside])
