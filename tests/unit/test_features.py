"""The crystal with features: each is there once, alone, and as it says."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from emrestore.errors import EmrestoreError
from emrestore.specimen.features import DISPLACEMENTS, OTHERS, featured_crystal, features

A, CELLS, WIDTH = 3.92, 6, 46.0


@pytest.fixture(scope="module")
def built():
    return featured_crystal("Pt", A, CELLS, WIDTH)


def test_the_table_says_what_each_column_holds(built):
    atoms, table = built
    tree = cKDTree(table[["x", "y"]])
    distance, column = tree.query(atoms.positions[:, :2])
    assert distance.max() < 1e-9
    assert (np.bincount(column, minlength=len(table)) == table["atoms"]).all()
    assert len(atoms) == table["atoms"].sum()


def test_every_feature_is_there(built):
    _, table = built
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
    _, table = built
    for axis, other in (("x", "y"), ("y", "x")):
        rows = table[table["feature"] == f"displaced along {axis}"]
        assert np.allclose(rows[axis] - rows[f"{axis}_site"], DISPLACEMENTS)
        assert np.allclose(rows[other], rows[f"{other}_site"])


def test_features_do_not_touch_and_stay_off_the_border(built):
    atoms, table = built
    some = table[table["feature"] != ""][["x_site", "y_site"]].to_numpy()
    # three columns apart; an interstitial lies half a column off, towards one corner
    assert cKDTree(some).query(some, k=2)[0][:, 1].min() > 2 * A / 2
    low, high = atoms.positions[:, :2].min(0), atoms.positions[:, :2].max(0)
    assert (some.min(0) - low > 2.9 * A / 2).all()
    assert (high - some.max(0) > 2.4 * A / 2).all()


def test_vacuum_is_the_same_on_all_sides(built):
    atoms, _ = built
    low, high = atoms.positions[:, :2].min(0), atoms.positions[:, :2].max(0)
    assert low == pytest.approx(WIDTH - high)
    assert (low > 2).all()


def test_a_box_that_is_too_small_is_refused():
    with pytest.raises(EmrestoreError, match="width"):
        featured_crystal("Pt", A, CELLS, 20.0)
