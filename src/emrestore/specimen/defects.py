"""Defects: some atoms displaced, or missing."""

from dataclasses import dataclass

import numpy as np

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import potential_radii
from emrestore.specimen.atoms import Atoms


@dataclass(frozen=True)
class Ranges:
    """What defects are drawn from.

    Attributes
    ----------
    occurs
        Probability of defects.
    displaced
        Probability that they are displacements; otherwise the atoms are missing.
    share
        Greatest share of the atoms.
    """

    occurs: float
    displaced: float
    share: float


def sample(ranges: Ranges, generator: np.random.Generator) -> dict | None:
    """Draw the ``kind`` of defects, displaced or vacant, and the ``share`` of atoms; or None."""
    u = generator.random(3)
    if u[0] >= ranges.occurs:
        return None
    return {"kind": "displaced" if u[1] < ranges.displaced else "vacant", "share": float(u[2] * ranges.share)}


def apply(atoms: Atoms, parameters: dict | None, generator: np.random.Generator) -> Atoms:
    """Displace or remove atoms.

    A displaced atom moves by normal deviates along each axis, of a standard deviation equal to the radius of its
    projected potential (Eq. 21), which is the one atomic radius that the image model knows.
    """
    if parameters is None:
        return atoms
    chosen = generator.choice(len(atoms), round(parameters["share"] * len(atoms)), replace=False, shuffle=False)
    if parameters["kind"] == "vacant":
        left = np.ones(len(atoms), bool)
        left[chosen] = False
        return atoms.keep(left)
    positions = atoms.positions.copy()
    radius = potential_radii()[atoms.numbers[chosen] - 1]
    positions[chosen] += radius[:, None] * generator.standard_normal((len(chosen), 3))
    return Atoms(positions, atoms.numbers)


def check(ranges: Ranges) -> None:
    """Refuse what are no shares.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name in ("occurs", "displaced", "share"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' must be between 0 and 1, not {getattr(ranges, name)}")
