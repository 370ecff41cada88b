"""Atoms as arrays, what all parts of a random specimen hand on."""

from dataclasses import dataclass

import numpy as np


class Unplaceable(Exception):
    """A drawn specimen that cannot be built (no room, no cell): the caller draws again and counts."""


@dataclass(frozen=True)
class Atoms:
    """Atoms of a specimen.

    Attributes
    ----------
    positions
        (n, 3) float64 as x, y, z [Å]; the beam runs along z, x is the fast scan axis.
    numbers
        (n,) int16 atomic numbers.
    """

    positions: np.ndarray
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.numbers)

    def keep(self, chosen: np.ndarray) -> "Atoms":
        """Give the atoms at a mask or at indices."""
        return Atoms(self.positions[chosen], self.numbers[chosen])


def join(*parts: Atoms) -> Atoms:
    """Put specimens together as they lie."""
    return Atoms(np.concatenate([part.positions for part in parts]), np.concatenate([part.numbers for part in parts]))
