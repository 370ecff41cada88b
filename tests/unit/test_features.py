"""The crystal with features: each is there once, alone, and as it says."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from emrestore.specimen.features import DISPLACEMENTS, OTHERS, featured_crystal, features

A, CELLS = 3.92, 6


@pytest.fixture(scope="module")
def built():
    return featured_crystal("Pt", A, CELLS, 8.0)


def test_the_table_says_what_each_column_holds(built):
    atoms, table, _ = built
    tree = cKDTree(table[["x", "y"]])
    distance, column = tree.query(atoms.positions[:, :2])
    assert distance.max() < 1e-9
    assert (np.bincount(column, minlength=len(table)) == table["atoms"]).all()
    assert len(atoms) == table["atoms"].sum()


def test_every_feature_is_there(built):
    _, table, _ = built
    found = sorted(zip(table["feature"], table["size"], strict=True))
    assert [one for one in found if one[0]] == sorted(features())
    expected = {"vacant column": 0, "half a column": CELLS // 2, "one atom missing": CELLS - 1}
    expected |= {
        "interstitial column": CELLS // 2,
        "one atom of Z + 1": CELLS,
        "one atom of Z + 10": CELLS,
        "none": CELLS,
    }
    for name, count in expected.items():
        rows = table[table["feature"] == name]
        assert len(rows) == OTHERS[name]
        assert (rows["atoms"] == count).all()
    plain = table[table["feature"] == ""]
    assert (plain["atoms"] == CELLS).all()
    assert (plain[["x", "y"]].to_numpy() == plain[["x_site", "y_site"]].to_numpy()).all()


def test_displacements_are_along_their_axis_by_their_size(built):
    _, table, _ = built
    for axis, other in (("x", "y"), ("y", "x")):
        rows = table[table["feature"] == f"displaced along {axis}"]
        assert np.allclose(rows[axis] - rows[f"{axis}_site"], DISPLACEMENTS)
        assert np.allclose(rows[other], rows[f"{other}_site"])


def test_features_do_not_touch_and_stay_off_the_border(built):
    _, table, field = built
    some = table[table["feature"] != ""][["x_site", "y_site"]].to_numpy()
    # four columns apart; an interstitial lies half a column off
    assert cKDTree(some).query(some, k=2)[0][:, 1].min() > 3 * A / 2
    assert some.min() > 3 * A / 2
    assert (field - [8.0, 0] - some.max(0)).min() > 2.9 * A / 2


def test_substituted_atoms_are_one_and_ten_heavier(built):
    atoms, table, _ = built
    column = cKDTree(table[["x", "y"]]).query(atoms.positions[:, :2])[1]
    for name, step in (("one atom of Z + 1", 1), ("one atom of Z + 10", 10)):
        inside = np.isin(column, table.index[table["feature"] == name])
        assert sorted(atoms.numbers[inside]) == sorted([78] * (CELLS - 1) * 2 + [78 + step] * 2)
    assert (atoms.numbers == 78).mean() > 0.99


def test_the_lattice_is_fcc(built):
    atoms, table, _ = built
    plain = atoms[cKDTree(table.loc[table["feature"] == "", ["x", "y"]]).query(atoms.positions[:, :2])[0] < 1e-6]
    inner = plain.positions[(np.abs(plain.positions - plain.positions.mean(0)) < [8, 8, A]).all(1)]
    nearest = cKDTree(plain.positions).query(inner, k=2)[0][:, 1]
    assert np.allclose(nearest, A / np.sqrt(2))
