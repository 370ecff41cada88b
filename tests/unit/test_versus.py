"""Our networks beside the published one: distances from the truth by hand."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import study_tables

from emrestore.plot.versus import SHOWN, versus_figure
from emrestore.survival import rate
from emrestore.versus import verdicts, versus


def displaced(methods):
    """Two thicknesses; RMSE 2 and 4 pm times a factor, slopes 0.5 and 0.7 of the two axes; intervals of ± 5 %."""
    rows = []
    for (method, factor), thickness in ((m, t) for m in methods.items() for t in (2, 4)):
        row = {"specimen": "displaced_small", "sampling": "fine", "thickness": thickness, "dose": 500}
        row |= {"method": method, "quantity": "position"}
        for name, size in (("rmse", factor * thickness), ("slope_x", 0.5), ("slope_y", 0.7)):
            row |= study_tables.with_interval(name, size, 0.05)
        rows.append(row)
    return pd.DataFrame(rows)


@pytest.fixture
def table():
    realistic, counts, departures = study_tables.realistic(), study_tables.counts(), study_tables.departures()

    def ours(rows):
        return pd.concat([rows, rows[rows["method"] == "published_ls"].assign(method="trained_ls")])

    counts = pd.concat([counts, counts[counts["method"] == "raw_ls"].assign(method="trained_ls")])
    survival, invented = study_tables.features()
    some = displaced({"published_ls": 1.0, "trained_ls": 1.1, "honest_ls": 3.0, "raw_ls": 9.0})
    return versus(some, ours(realistic), counts, survival, invented, ours(departures))


def compared(some=None, survival=None, invented=None):
    """Give the table of the study's made-up tables, some of them replaced."""
    features, phantoms = study_tables.features()
    return versus(
        displaced({"raw_ls": 1.0}) if some is None else some,
        study_tables.realistic(),
        study_tables.counts(),
        features if survival is None else survival,
        phantoms if invented is None else invented,
        study_tables.departures(),
    )


def one(table, **condition):
    rows = table[np.logical_and.reduce([table[key] == value for key, value in condition.items()])]
    assert len(rows) == 1
    return rows.iloc[0]


def test_errors_are_compared_condition_by_condition(table):
    row = one(table, specimen="displaced_small", quantity="position", thickness=4, method="honest")
    assert (row["kind"], row["published"], row["ours"]) == ("accuracy", 4.0, 12.0)
    assert row["ratio"] == 3.0
    # both known to 5 %, as independent errors
    half = 0.05 * np.hypot(4, 12)
    assert row["difference_low"] == pytest.approx(8 - half, rel=1e-12)
    assert row["difference_high"] == pytest.approx(8 + half, rel=1e-12)
    assert "raw" not in set(table["method"])


def test_slopes_are_compared_by_what_they_lack_of_one(table):
    row = one(table, specimen="displaced_small", quantity="slope", thickness=2, method="strong")
    assert row["kind"] == "honesty"
    # 0.5 and 0.3 from one, mean of half width sqrt(0.025² + 0.035²) / 2
    assert (row["published"], row["ours"]) == (pytest.approx(0.4), pytest.approx(0.4))
    assert row["difference_high"] == pytest.approx(np.sqrt(2) * np.hypot(0.025, 0.035) / 2, rel=1e-9)


def test_slopes_on_either_side_of_one_do_not_cancel():
    some = displaced({"published_ls": 1.0, "trained_ls": 1.0})
    for end in ("", "_low", "_high"):
        some["slope_x" + end] += 0.7
    # 1.2 and 0.7
    row = one(compared(some), specimen="displaced_small", quantity="slope", thickness=2, method="strong")
    assert row["ours"] == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("ours", "published", "verdict"),
    [
        # right but for its error, and half of it lacking
        ((0.998, 0.978, 1.018), (0.5, 0.48, 0.52), "closer"),
        ((0.7, 0.68, 0.72), (0.998, 0.978, 1.018), "farther"),
        ((1.0, 0.98, 1.02), (0.99, 0.97, 1.01), None),
        # beyond one is as far as short of it
        ((1.3, 1.2, 1.4), (0.5, 0.4, 0.6), "closer"),
    ],
)
def test_whoever_is_right_is_closer(ours, published, verdict):
    rows = [
        {"feature": "vacant column", "size": 0.0, "sampling": "poisson", "dose": 50.0, "method": method}
        | dict(zip(("amplitude", "amplitude_low", "amplitude_high"), ends, strict=True))
        for method, ends in (("trained_ls", ours), ("published_ls", published))
    ]
    table = compared(survival=pd.DataFrame(rows))
    row = verdicts(table[table["quantity"] == "vacant column"], 0.2).iloc[0]
    assert (row["closer"], row["farther"]) == (verdict == "closer", verdict == "farther")


def test_columns_that_are_not_there_count_against_none():
    """Eight in four images and none: exact Poisson intervals, 3.5 to 15.8 and 0 to 3.7; five might be chance."""
    rates = {
        name: rate(np.array([number, 0, 0, 0]), 100.0) for name, number in (("none", 0), ("five", 5), ("eight", 8))
    }
    for first, second, verdict in (("none", "eight", "closer"), ("eight", "none", "farther"), ("none", "five", None)):
        found = [
            {"sampling": "poisson", "dose": 50.0, "specimen": "film", "method": method} | rates[name]
            for method, name in (("trained", first), ("published", second))
        ]
        table = compared(invented=pd.DataFrame(found))
        row = verdicts(table[table["quantity"] == "phantoms"], 0.2).iloc[0]
        assert (row["specimen"], row["closer"], row["farther"]) == ("film", verdict == "closer", verdict == "farther")


def test_counts_are_compared_by_what_is_wrong(table):
    # the published network has 0.8 right at either dose, "ours" 0.4 and 0.8, as raw images
    wrong = {
        dose: one(table, quantity="counts", dose=dose, sampling="poisson", method="strong") for dose in (500, 50000)
    }
    assert wrong[500]["ratio"] == pytest.approx(3.0)
    assert wrong[50000]["ratio"] == pytest.approx(1.0)


def test_only_the_region_of_the_claims_is_compared(table):
    rows = table[(table["specimen"] == "dislocation") & (table["quantity"] == "position")]
    assert not rows.duplicated(["sampling", "dose", "method"]).any()
    assert (rows["ratio"] == 1).all()
    known = {"displaced_small", "disordered_small", "dislocation", "particle", "features", "film"}
    assert set(table["specimen"]) == known


def test_features_and_phantoms(table):
    vacancy = table[(table["quantity"] == "vacant column") & (table["sampling"] == "poisson")]
    assert vacancy["published"].to_numpy() == pytest.approx(0.7)
    assert set(vacancy["method"]) == {"strong", "honest"}
    # the published network invents two per 100 Å², ours none
    assert (table.loc[table["quantity"] == "phantoms", "ratio"] == 0).all()
    assert "one atom missing" not in set(table["quantity"])


def test_verdicts_count_whole_intervals():
    published = np.array([2.0, 1.0, 1.0, 0.0, 0.0, np.nan])
    ours = np.array([1.0, 1.1, 1.3, 0.0, 1.0, 1.0])
    table = pd.DataFrame({"kind": "accuracy", "specimen": "particle", "method": "strong", "published": published})
    with np.errstate(divide="ignore", invalid="ignore"):
        table = table.assign(ours=ours, ratio=ours / published, difference=ours - published)
    half = np.array([0.5, 0.2, 0.2, 0.1, 1.5, 0.0])
    table = table.assign(difference_low=table["difference"] - half, difference_high=table["difference"] + half)
    row = verdicts(table, 0.2).iloc[0]
    assert (row["conditions"], row["within"], row["closer"], row["farther"]) == (5, 3, 1, 1)
    assert (row["least"], row["middle"], row["largest"]) == (0.5, pytest.approx(1.2), np.inf)


def test_every_condition_with_a_ratio_is_drawn_and_none_outside(table):
    table.loc[table.index[0], "ratio"] = np.inf
    table.loc[table.index[1], "ratio"] = np.nan
    figure = versus_figure(table, 0.2)
    places = [
        scatter.get_offsets()
        for axis in figure.axes[:4]
        for scatter in axis.collections
        if scatter.get_array() is not None
    ]
    drawn = np.concatenate([np.asarray(place) for place in places])
    assert len(drawn) == len(table) - 1
    assert (drawn[:, 0].min(), drawn[:, 0].max()) == SHOWN
    plt.close(figure)
