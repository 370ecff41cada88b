import numpy as np
import pytest

from emrestore.columns.burgers import burgers_circuit
from emrestore.errors import EmrestoreError

#: From the cut of the dislocation, which lies along -x, to the rows beside it.
OFF = np.array([0.3, 1.15])
STEPS = np.array([[1.4, 0.0], [0.7, 2.3]])


def lattice(half=14):
    i, j = np.mgrid[-half : half + 1, -half : half + 1]
    return np.stack([i.ravel(), j.ravel()], -1) @ STEPS


def dislocated(places, b):
    """An edge dislocation at the origin, b along x, in isotropic elasticity (Volterra; Hirth and Lothe, Eq. 3-45)."""
    nu, (x, y) = 0.38, places.T
    square = x**2 + y**2
    ux = b / (2 * np.pi) * (np.arctan2(y, x) + x * y / (2 * (1 - nu) * square))
    uy = -b / (2 * np.pi) * ((1 - 2 * nu) / (4 * (1 - nu)) * np.log(square) + (x**2 - y**2) / (4 * (1 - nu) * square))
    return places + np.stack([ux, uy], -1)


def test_it_closes_in_a_perfect_lattice():
    circuit = burgers_circuit(lattice(), STEPS, (8, 4), np.zeros(2))
    assert len(circuit.path) == 25
    assert circuit.path[0] == circuit.path[-1]
    assert np.abs(circuit.closure).max() < 1e-12


@pytest.mark.parametrize("multiple", [1, 2])
def test_it_fails_to_close_by_the_burgers_vector(multiple):
    places = dislocated(lattice() + OFF, multiple * STEPS[0, 0])
    circuit = burgers_circuit(places, STEPS, (10, 6), np.zeros(2))
    # first and last column lie b apart but for the strain between them, about b / (2π r (1 - ν)) with r = 7 Å: 5 % for
    # the single and 10 % for the double dislocation
    assert abs(abs(circuit.closure[0]) - multiple * STEPS[0, 0]) < 0.15 * multiple * STEPS[0, 0]
    assert abs(circuit.closure[1]) < 0.15 * STEPS[0, 0]


def test_a_circuit_beside_the_dislocation_closes():
    places = dislocated(lattice() + OFF, STEPS[0, 0])
    circuit = burgers_circuit(places, STEPS, (4, 4), np.array([8.0, 10.0]))
    assert circuit.path[0] == circuit.path[-1]


def test_a_missing_column_is_an_error():
    with pytest.raises(EmrestoreError, match="finds no column"):
        burgers_circuit(lattice(4), STEPS, (12, 4), np.zeros(2))
