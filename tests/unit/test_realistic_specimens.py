"""The dislocation has its Burgers vector, the particle its columns."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.specimen.realistic import (
    Elasticity,
    column_of_atoms,
    counted_sphere,
    edge_dislocation,
    tabulate_columns,
)

A = 3.9242
WIDTH = 46.0


@pytest.fixture(scope="module")
def dislocation():
    atoms, core = edge_dislocation("Pt", A, Elasticity(347, 251, 76.5), WIDTH, 2)
    return atoms, core, tabulate_columns(atoms, core, 5.0)


def circuit(places, start, right, up):
    """Walk from column to nearest column: ``right`` steps along x, ``up`` along y, and back; give start and end."""
    tree = cKDTree(places)
    here = first = places[tree.query(start)[1]]
    a, b = np.array([A * np.sqrt(2) / 4, 0]), np.array([0, A / np.sqrt(3)])
    for step, count in ((a, right), (b, up), (-a, right), (-b, up)):
        for _ in range(count):
            distance, nearest = tree.query(here + step)
            assert distance < 0.35 * A * np.sqrt(2) / 4, "the circuit left the good crystal"
            here = places[nearest]
    return first, here


def test_a_burgers_circuit_fails_to_close_by_half_a_face_diagonal(dislocation):
    _, core, table = dislocation
    first, last = circuit(table[["x", "y"]].to_numpy(), core - [14, 14], 20, 12)
    failure = last - first
    # b = a/2 [1-10] lies along x. It is measured between two columns of the strained crystal, at r = 20 Å: the strain
    # of an edge dislocation is at most b / (2 π (1 - ν) r) = 4 %, with ν = 0.4
    assert abs(failure[0]) == pytest.approx(A / np.sqrt(2), rel=0.04)
    assert abs(failure[1]) < 0.04 * A / np.sqrt(2)


@pytest.mark.parametrize("place", [(-18, -18), (-18, 4), (6, 4)])
def test_a_circuit_beside_the_core_closes(dislocation, place):
    _, core, table = dislocation
    first, last = circuit(table[["x", "y"]].to_numpy(), core + place, 7, 5)
    assert np.array_equal(first, last)


def test_the_dislocation_is_straight_dense_and_as_thick_as_said(dislocation):
    atoms, _, table = dislocation
    assert (table["atoms"] == 2).all()
    depth = atoms.cell.lengths()[2]
    assert depth == pytest.approx(2 * A * np.sqrt(6) / 2)
    assert 0 < atoms.positions[:, 2].min() < atoms.positions[:, 2].max() < depth
    # columns are straight
    column = column_of_atoms(atoms)
    spread = [np.ptp(atoms.positions[column == one, :2], axis=0).max() for one in range(3)]
    assert max(spread) < 1e-9
    # Four atoms in a³, half a plane's width of columns missing at the square's border at most: 46 Å hold 20 planes of
    # 2.27 Å to within one
    assert len(atoms) == pytest.approx(4 / A**3 * WIDTH**2 * depth, rel=1 / 20)
    # elasticity compresses the core, and not to below 85 % of the nearest distance
    assert cKDTree(atoms.positions).query(atoms.positions, 2)[0][:, 1].min() > 0.85 * A / np.sqrt(2)


def test_the_glide_plane_is_in_the_middle_and_the_table_in_order(dislocation):
    atoms, core, table = dislocation
    # the core is between the planes that the glide plane lies midway between
    assert core[0] == WIDTH / 2
    assert abs(core[1] - WIDTH / 2) < A / np.sqrt(3) / 2
    # far from the core these are half a distance above and below; elasticity tilts planes by some 0.05 Å there
    far = np.abs(atoms.positions[:, 0] - core[0]) > WIDTH / 3
    heights = atoms.positions[far, 1] - WIDTH / 2
    nearest = heights[np.abs(heights) < A / np.sqrt(3) * 0.75]
    assert np.abs(np.abs(nearest) - A / np.sqrt(3) / 2).max() < 0.15
    distance = np.hypot(table["x"] - core[0], table["y"] - core[1])
    assert table["core"].equals(distance <= 5)
    # a column takes a √2/4 x a/√3 = 3.14 Å²; the circle's border, of 31 Å, passes some 31 Å / 1.8 Å columns, each in
    # or out: ± half of them at the very most
    assert table["core"].sum() == pytest.approx(np.pi * 25 / 3.14, abs=8)


def test_the_particle_has_333_columns_and_11_atoms_across():
    atoms = counted_sphere("Pt", A, 104.5, 50.0, 333, 11)
    table = tabulate_columns(atoms, np.array([25.0, 25.0]), 0.0)
    assert len(table) == 333
    assert table["atoms"].sum() == len(atoms) == 2243
    # one row is the centre, of 11 atoms, and no other is marked
    assert table[table["core"]]["atoms"].tolist() == [11]
    # counting lattice points, by hand: columns of squared distance i² + j² [a²/4] hold those k of its parity with
    # k² <= 104 - i² - j²
    i, j, k = np.mgrid[-11:12, -11:12, -11:12]
    inside = ((i + j + k) % 2 == 0) & (i**2 + j**2 + k**2 <= 104)
    counts = inside.sum(axis=2)
    place = np.rint((table[["x", "y"]].to_numpy() - 25) / (A / 2)).astype(int) + 11
    assert np.array_equal(table["atoms"], counts[place[:, 0], place[:, 1]])
    assert atoms.cell.lengths()[2] == pytest.approx(21 * A / 2)


def test_another_number_of_columns_is_refused():
    with pytest.raises(EmrestoreError, match="373 columns"):
        counted_sphere("Pt", A, 121.0, 50.0, 333, 11)
