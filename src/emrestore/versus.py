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
    what a slope (mean over both axes) or a feature's amplitude lacks of one, or has above it, and the rate of columns
    that are not there.

    Parameters
    ----------
    displaced, realistic, counts, survival, invented, departures
        ``displaced.csv``, ``realistic.csv``, ``counts.csv``, ``audit_features.csv``, ``audit_phantoms.csv`` and
        ``audit_departures.csv`` of ``results/tables``.

    Returns
    -------
    DataFrame
        :data:`CONDITION` and ``method``, ours as :data:`OURS` calls them; ``published`` and ``ours``, their distances;
        ``ratio``, ours over the published network's, NaN where both are zero; and the ``difference``, ours less the
        published network's, with its 95 % interval ``difference_low`` and ``difference_high``, that of Zou and Donner
        (2008) from the intervals of both. Unlike a ratio's it stays finite where one of them is right. Errors of both
        are taken as independent, which is conservative, as both restored the same images.
    """
    errors = _named(displaced[displaced["quantity"] == "position"], "rmse").assign(quantity="position")
    regions = realistic["specimen"].map(REGIONS) == realistic["region"]
    figures = realistic[regions & realistic["quantity"].isin(["position", "scs"])]
    atoms = counts[(counts["route"] == "library") & np.isfinite(counts["dose"])]
    atoms = _named(atoms, "right").assign(specimen="particle", quantity="counts")
    some = survival["feature"].isin(FEATURES)
    features = _named(survival[some], "amplitude")
    size = features["size"].map(lambda size: f" {size:g} Å" if size else "")
    features = features.assign(specimen="features", quantity=features["feature"] + size)
    phantoms = _named(invented, "rate").assign(quantity="phantoms")
    slopes = departures[departures["quantity"] == "slope"]
    parts = [
        ("accuracy", [_distances(errors, 0), _distances(figures, 0), _distances(atoms, 1)]),
        ("honesty", [_slopes(displaced), _distances(features, 1), _distances(slopes, 1), _distances(phantoms, 0)]),
    ]
    rows = pd.concat([part.assign(kind=kind) for kind, tables in parts for part in tables])
    rows["method"] = rows["method"].str.removesuffix("_ls")
    rows["thickness"] = rows["thickness"].fillna(0).astype(int) if "thickness" in rows else 0
    published = rows[rows["method"] == "published"]
    both = rows[rows["method"].isin(OURS)].merge(published, on=CONDITION, suffixes=("", "_published"))
    both = both.rename(columns={"distance": "ours", "distance_published": "published"})
    with np.errstate(divide="ignore", invalid="ignore"):
        both["ratio"] = both["ours"] / both["published"]
    both["difference"] = both["ours"] - both["published"]
    both["difference_low"] = both["difference"] - np.hypot(both["below"], both["above_published"])
    both["difference_high"] = both["difference"] + np.hypot(both["above"], both["below_published"])
    both["method"] = both["method"].map(OURS)
    columns = [*CONDITION, "method", "published", "ours", "ratio", "difference", "difference_low", "difference_high"]
    return both[columns].sort_values(["kind", "method", *CONDITION[1:]], ignore_index=True)


def _named(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Give rows of a measure NAME with its interval as rows of ``value``, ``low`` and ``high``."""
    ends = {name: "value", f"{name}_low": "low", f"{name}_high": "high"}
    return rows.drop(columns=["value", "low", "high"], errors="ignore").rename(columns=ends)


def _distances(rows: pd.DataFrame, truth: float) -> pd.DataFrame:
    """Give the distance of ``value`` from the truth, and how far its interval reaches ``below`` and ``above`` it."""
    sides = rows["value"] - rows["low"], rows["high"] - rows["value"]
    over = rows["value"] >= truth
    return rows.assign(
        distance=(rows["value"] - truth).abs(),
        below=sides[0].where(over, sides[1]),
        above=sides[1].where(over, sides[0]),
    )


def _slopes(displaced: pd.DataFrame) -> pd.DataFrame:
    """Give the distance of slopes from one, mean over both axes, whose errors are independent."""
    rows = displaced[displaced["quantity"] == "position"].assign(quantity="slope")
    axes = [_distances(_named(rows, f"slope_{axis}"), 1) for axis in "xy"]
    distance, below, above = (np.stack([axis[name] for axis in axes]) for name in ("distance", "below", "above"))
    return rows.assign(distance=distance.mean(0), below=np.hypot(*below) / 2, above=np.hypot(*above) / 2)


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
        ``kind, specimen, method``, ``conditions`` (those in which both were measured), ``within``, ``closer`` and
        ``farther`` (whole interval of the difference below or above zero), ``least``, ``middle`` and ``largest`` ratio.
    """
    known = table[table["difference"].notna()]
    flags = known.assign(
        within=known["ours"] <= (1 + tolerance) * known["published"],
        closer=known["difference_high"] < 0,
        farther=known["difference_low"] > 0,
    )
    found = flags.groupby(["kind", "specimen", "method"], as_index=False).agg(
        conditions=("difference", "size"),
        within=("within", "sum"),
        closer=("closer", "sum"),
        farther=("farther", "sum"),
        least=("ratio", "min"),
        middle=("ratio", "median"),
        largest=("ratio", "max"),
    )
    return found
