import numpy as np
import pandas as pd
import pytest

from emrestore.rng import stream
from emrestore.specimen.named import (
    bulk,
    column_of_atoms,
    column_sites,
    columns_in_view,
    displace_columns,
    nanoparticle,
)

A = 3.9242


def test_bulk_platinum_has_its_density_and_distances():
    atoms = bulk("Pt", A, 3, 2)
    assert len(atoms) == 4 * 3 * 3 * 2
    # 195.084 u in a quarter of a³: 21.45 g/cm³ at room temperature (CRC Handbook), lattice constants agree to 0.1 %
    density = atoms.get_masses().sum() * 1.66053907 / atoms.get_volume()
    assert density == pytest.approx(21.45, rel=3e-3)
    distances = atoms.get_all_distances(mic=True)
    assert distances[distances > 0].min() == pytest.approx(A / np.sqrt(2), rel=1e-9)


def test_layers_keep_clear_of_the_edges_of_slices_of_half_and_quarter_cells():
    # an eighth of a cell, 0.49 Å, is seven times the thermal displacement of 0.068 Å
    layers = np.unique(np.round(bulk("Pt", A, 1, 3).positions[:, 2], 9))
    assert np.allclose(np.abs(layers / (A / 4) - np.rint(layers / (A / 4))), 0.5)
    assert len(layers) == 6


def test_every_column_has_as_many_atoms_as_there_are_cells():
    atoms = bulk("Pt", A, 3, 5)
    columns = column_of_atoms(atoms, A, 3)
    assert (np.bincount(columns) == 5).all()
    off = atoms.positions[:, :2] - column_sites(A, 3)[columns]
    assert np.abs(off).max() < 1e-9


def test_displaced_columns_move_as_a_whole_by_the_stated_spread():
    atoms = bulk("Pt", A, 4, 3)
    moved, shifts = displace_columns(atoms, A, 4, 0.3, stream(1, "displaced"))
    columns = column_of_atoms(atoms, A, 4)
    assert np.allclose(moved.positions[:, :2] - atoms.positions[:, :2], shifts[columns])
    assert np.allclose(moved.positions[:, 2], atoms.positions[:, 2])
    assert np.allclose(shifts.mean(axis=0), 0)
    # 128 deviates: the standard error of a standard deviation is sigma / sqrt(2 n)
    assert abs(shifts.std(ddof=1) - 0.3) < 4 * 0.3 / np.sqrt(2 * 128)


def test_columns_in_view_repeat_with_the_supercell():
    sites = column_sites(A, 2)
    table = pd.DataFrame({"column": range(16), "x_site": sites[:, 0], "y_site": sites[:, 1], "dx": 0.1, "dy": 0.0})
    view = columns_in_view(table, 2 * A, np.array([-A / 4, -A / 4]), 0.2, (58, 98))
    # 11.6 x 19.6 Å hold 6 x 10 columns of pitch 1.9621 Å when the border lies midway between them
    assert len(view) == 60
    assert view["x_site"].min() == pytest.approx(A / 4 / 0.2)
    assert np.allclose(np.diff(np.unique(view["x_site"].round(6))), A / 2 / 0.2)
    assert (view["dx"] == 0.5).all()
    # 3 x 5 repeats... of a 4 x 4 supercell: no column appears more often than the field of view allows
    assert view["column"].value_counts().max() == 2 * 3


@pytest.mark.parametrize("diameter", [9.7, 16.0, 32.0])
def test_a_nanoparticle_is_the_lattice_points_within_its_sphere(diameter):
    atoms = nanoparticle("Pt", A, diameter, 40.0)
    centre = atoms[np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).argmin()].position
    assert np.linalg.norm(atoms.positions - centre, axis=1).max() <= diameter / 2 + 1e-9
    # fcc: integer triples of even sum, in units of a/2
    h, k, m = np.mgrid[-20:21, -20:21, -20:21]
    inside = (h**2 + k**2 + m**2 <= (diameter / A) ** 2) & ((h + k + m) % 2 == 0)
    assert len(atoms) == inside.sum()
    assert atoms.get_all_distances()[np.triu_indices(len(atoms), 1)].min() == pytest.approx(A / np.sqrt(2))
    assert centre[:2] == pytest.approx([20, 20])
    width, _, depth = atoms.cell.lengths()
    assert width == 40
    # the stated vacuum: of the sphere to the sides, of the layers before and behind
    assert (np.abs(atoms.positions[:, :2] - 20) <= diameter / 2).all()
    assert atoms.positions[:, 2].min() >= A / 2
    assert atoms.positions[:, 2].max() <= depth - A / 2
    offsets = (atoms.positions[:, 2] - A / 8) / (A / 2)
    assert np.allclose(offsets, np.rint(offsets))
    assert depth / (A / 2) == pytest.approx(round(depth / (A / 2)))
