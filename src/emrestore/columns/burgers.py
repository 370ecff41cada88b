"""The Burgers circuit: a walk from column to column that would close in a perfect lattice."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError


@dataclass(frozen=True)
class Circuit:
    """A walk over columns.

    Attributes
    ----------
    path
        Numbers of the columns, first to last.
    closure
        (2,) from the last column to the first: zero in a perfect lattice, the Burgers vector's projection about a
        dislocation (finish to start, right-handed if the circuit is).
    """

    path: np.ndarray
    closure: np.ndarray


def burgers_circuit(positions: np.ndarray, steps: np.ndarray, counts: tuple[int, int], centre: np.ndarray) -> Circuit:
    """Walk from column to column along two lattice vectors, there and back, about a point.

    Parameters
    ----------
    positions
        (n, 2) columns as x, y.
    steps
        (2, 2) lattice vectors, as rows, in the unit of ``positions``.
    counts
        Steps along the first and along the second; the same number leads back.
    centre
        (2,) point that the circuit leads around.

    Returns
    -------
    Circuit
        Along +1, +2, -1, -2, each step to the column nearest to where the lattice has one.

    Raises
    ------
    EmrestoreError
        If a step finds no column within half a step: columns are missing, or the field is too small.
    """
    tree = cKDTree(positions)
    reach = 0.5 * np.linalg.norm(steps, axis=1).min()
    start = centre - (np.array(counts) / 2) @ steps
    path = [int(tree.query(start)[1])]
    for step, count in ((steps[0], counts[0]), (steps[1], counts[1]), (-steps[0], counts[0]), (-steps[1], counts[1])):
        for _ in range(count):
            distance, column = tree.query(positions[path[-1]] + step)
            if distance > reach:
                raise EmrestoreError(
                    f"the Burgers circuit finds no column beside {np.round(positions[path[-1]], 2)}: make it smaller, "
                    "or the field larger"
                )
            path.append(int(column))
    return Circuit(np.array(path), positions[path[0]] - positions[path[-1]])
