"""Our networks beside the published one, condition by condition: how many times as far from the truth they are."""

import numpy as np
import pandas as pd

#: What one condition is; the table has a row for each and each of our methods.
CONDITION = ["kind", "specimen", "sampling", "thickness", "dose", "quantity"]
#: Ours, by the name that it has in tables: told to believe in lattices, and told not to.
OURS = {"trained": "strong", "honest": "honest"}
#: Features whose amplitude is judged: those of whole columns.
FEATURES = ("displaced along x", "displaced along y", "vacant column", "half a column", "interstitial column")
#: Of the tables of Figs 4 and 5, as claims take them.
REGIONS = {"dislocation": "core", "particle": "all"}


def versus(
    displaced: pd.DataFrame,
    realistic: pd.DataFrame,
    counts: pd.DataFrame,
    survival: pd.DataFrame,
    invented: pd.DataFrame,
    departures: pd.DataFrame,
) -> pd.DataFrame:
    """Compare distances from the truth.

    Of errors (``kind`` accuracy) the distance is the root mean square error itself, of counted atoms the share of
    columns that are counted wrong. Of what restoration may take from an image or add to it (``kind`` honesty) it is
    what a slope or a feature's amplitude lacks of one, or has above it, and the rate of columns that are not there.

    Parameters
    ----------
    displaced, realistic, counts, survival, invented, departures
        ``displaced.csv``, ``realistic.csv``, ``counts.csv``, ``audit_features.csv``, ``audit_phantoms.csv`` and
        ``audit_departures.csv`` of ``results/tables``.

    Returns
    -------
    DataFrame
        :data:`CONDITION` and ``method``, ours as :data:`OURS` calls them; ``published`` and ``ours``, their distances;
        and ``ratio`` with its 95 % interval ``ratio_low`` and ``ratio_high``: ours over the published network's. Errors
        of both are taken as independent, which is conservative, as both restored the same images; over a distance of
        zero there is no ratio (NaN), or one without limit.
    """
    errors = _named(displaced[displaced["quantity"] == "position"], "rmse").assign(quantity="position")
    # both axes' slopes, as independent as their errors are
    slope = displaced[displaced["quantity"] == "position"].assign(
        quantity="slope",
        value=lambda rows: rows[["slope_x", "slope_y"]].mean(axis=1),
        half=lambda rows: np.hypot(*(rows[f"slope_{axis}_high"] - rows[f"slope_{axis}_low"] for axis in "xy")) / 4,
    )
    regions = realistic["specimen"].map(REGIONS) == realistic["region"]
    figures = realistic[regions & realistic["quantity"].isin(["position", "scs"])]
    atoms = counts[(counts["route"] == "library") & np.isfinite(counts["dose"])]
    atoms = _named(atoms, "right").assign(specimen="particle", quantity="counts", value=lambda rows: 1 - rows["value"])
    some = survival["feature"].isin(FEATURES)
    features = _named(survival[some], "amplitude")
    size = features["size"].map(lambda size: f" {size:g} Å" if size else "")
    features = features.assign(specimen="features", quantity=features["feature"] + size)
    phantoms = _named(invented[invented["specimen"] == "features"], "rate").assign(quantity="phantoms")
    slopes = departures[(departures["quantity"] == "slope") & departures["specimen"].isin(REGIONS)]
    parts = [
        ("accuracy", 0.0, [errors, _halved(figures), atoms]),
        ("honesty", 1.0, [slope, features, _halved(slopes)]),
        ("honesty", 0.0, [phantoms]),
    ]
    rows = pd.concat(
        [
            part.assign(
                kind=kind, distance=(part["value"] - truth).abs(), method=part["method"].str.removesuffix("_ls")
            )
            for kind, truth, tables in parts
            for part in tables
        ]
    )
    rows["thickness"] = rows["thickness"].fillna(0).astype(int) if "thickness" in rows else 0
    published = rows[rows["method"] == "published"]
    both = rows[rows["method"].isin(OURS)].merge(published, on=CONDITION, suffixes=("", "_published"))
    with np.errstate(divide="ignore", invalid="ignore"):
        both["ratio"] = both["distance"] / both["distance_published"]
        half = np.hypot(both["half"] / both["distance"], both["half_published"] / both["distance_published"])
        both["ratio_low"], both["ratio_high"] = both["ratio"] * np.exp(-half), both["ratio"] * np.exp(half)
    both = both.rename(columns={"distance": "ours", "distance_published": "published"})
    both["method"] = both["method"].map(OURS)
    columns = [*CONDITION, "method", "published", "ours", "ratio", "ratio_low", "ratio_high"]
    return both[columns].sort_values(["kind", "method", *CONDITION[1:]], ignore_index=True)


def _named(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Give rows of a measure NAME as rows of ``value`` and ``half``, half the width of its interval."""
    ends = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return _halved(rows.drop(columns=["value", "low", "high"], errors="ignore").rename(columns=ends))


def _halved(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(half=(rows["high"] - rows["low"]) / 2)


def verdicts(table: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    """Count conditions by what becomes of them, for each kind, specimen and method.

    Parameters
    ----------
    table
        Of :func:`versus`.
    tolerance
        Share by which ours may be farther from the truth and still counts as ``within``.

    Returns
    -------
    DataFrame
        ``kind, specimen, method``, ``conditions`` (those with a ratio), ``within``, ``closer`` and ``farther`` (whole
        interval below or above one), ``least``, ``middle`` and ``largest`` ratio.
    """
    known = table[table["ratio"].notna()]
    flags = known.assign(
        within=known["ratio"] <= 1 + tolerance, closer=known["ratio_high"] < 1, farther=known["ratio_low"] > 1
    )
    found = flags.groupby(["kind", "specimen", "method"], as_index=False).agg(
        conditions=("ratio", "size"),
        within=("within", "sum"),
        closer=("closer", "sum"),
        farther=("farther", "sum"),
        least=("ratio", "min"),
        middle=("ratio", "median"),
        largest=("ratio", "max"),
    )
    return found
