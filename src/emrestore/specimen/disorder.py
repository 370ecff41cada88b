"""Disorder of columns: atoms of a column displaced together, and columns that lack atoms.

Not in the paper, whose specimens are perfect lattices but for single atoms: a network that never saw a displaced column
takes the lattice for granted. How much disorder a specimen was drawn with is what a network can be told
(:class:`emrestore.network.unet.Compact`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.specimen.atoms import Atoms


@dataclass(frozen=True)
class Ranges:
    """What disorder is drawn from.

    Attributes
    ----------
    occurs
        Probability of disorder. Its strength is uniform from 0 to 1, and scales what follows.
    displacement
        Standard deviation of displacements along x and y at full strength [Å].
    reach
        Distance over which displacements lose their likeness [Å].
    vacancies
        Places that lack atoms, at full strength [1/nm²].
    radius
        Of such a place [Å].
    emptied
        Share of its atoms that it lacks.
    whole
        Share of places that lack all.
    """

    occurs: float
    displacement: float
    reach: float
    vacancies: float
    radius: float
    emptied: tuple[float, float]
    whole: float


def sample(ranges: Ranges, generator: np.random.Generator) -> dict | None:
    """Draw the ``strength`` of disorder, and with it ``displacement`` [Å] and ``vacancies`` [1/nm²]; or None."""
    u = generator.random(2)
    if u[0] >= ranges.occurs:
        return None
    strength = float(u[1])
    return {
        "strength": strength,
        "displacement": strength * ranges.displacement,
        "vacancies": strength * ranges.vacancies,
    }


def apply(atoms: Atoms, parameters: dict | None, ranges: Ranges, generator: np.random.Generator) -> Atoms:
    """Displace the columns of a specimen, and take atoms out of some.

    Columns are what lies one above another: a displacement is a function of x and y, so a column moves as a whole and
    one that is tilted bends. Nothing has to know where columns are.
    """
    if parameters is None or not len(atoms):
        return atoms
    flat = atoms.positions[:, :2]
    low, high = flat.min(axis=0), flat.max(axis=0)
    moved = parameters["displacement"] * field((flat - low) / ranges.reach, generator)
    area = (high - low).prod() / 100
    places = atoms.positions[generator.integers(len(atoms), size=generator.poisson(parameters["vacancies"] * area)), :2]
    share = generator.uniform(*ranges.emptied, len(places))
    share[generator.random(len(places)) < ranges.whole] = 1
    left = np.ones(len(atoms), bool)
    for lacking, part in zip(cKDTree(flat).query_ball_point(places, ranges.radius), share, strict=True):
        left[np.array(lacking)[generator.random(len(lacking)) < part]] = False
    positions = atoms.positions + np.pad(moved, ((0, 0), (0, 1)))
    return Atoms(positions, atoms.numbers).keep(left)


def field(places: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Give normal deviates of unit variance that vary smoothly over the unit of length.

    Parameters
    ----------
    places
        (n, 2), zero or more.

    Returns
    -------
    ndarray
        (n, 2), one deviate along each axis.
    """
    corner = places.astype(int)
    nodes = generator.standard_normal((*(corner.max(axis=0) + 2), 2))
    x, y = (places - corner).T
    weights = np.stack([(1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y])
    around = np.stack([nodes[corner[:, 0] + i, corner[:, 1] + j] for j in (0, 1) for i in (0, 1)])
    # between nodes an interpolated deviate would be smaller than on them
    return np.einsum("kn,kna->na", weights / np.sqrt((weights**2).sum(axis=0)), around)


def check(ranges: Ranges) -> None:
    """Refuse what cannot be.

    Raises
    ------
    EmrestoreError
        Naming the field.
    """
    for name in ("occurs", "whole"):
        if not 0 <= getattr(ranges, name) <= 1:
            raise EmrestoreError(f"'{name}' is a probability, between 0 and 1, not {getattr(ranges, name)}")
    for name in ("displacement", "vacancies"):
        if getattr(ranges, name) < 0:
            raise EmrestoreError(f"'{name}' must not be negative, unlike {getattr(ranges, name)}")
    for name in ("reach", "radius"):
        if getattr(ranges, name) <= 0:
            raise EmrestoreError(f"'{name}' must be above 0 Å, not {getattr(ranges, name)}")
    if not 0 <= ranges.emptied[0] <= ranges.emptied[1] <= 1:
        raise EmrestoreError(f"'emptied' must be a range of shares, between 0 and 1, not {ranges.emptied}")
