"""Confidence without truth beside true errors: by column, by what is left out, and in one ratio."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import METHODS, log_axis, panel

WIDTH = 180 / 25.4
#: Columns are binned by their spread into so many bins of equal number.
BINS = 8


def confidence_figure(confidence: pd.DataFrame, table: pd.DataFrame, tolerance: float) -> Figure:
    """Draw true error against spread for each chain, sparsification curves, and the ratio of error to spread.

    Parameters
    ----------
    confidence
        Rows of ``results/audit/confidence.parquet``.
    table
        Rows of ``results/tables/audit_confidence.csv``.
    tolerance
        Ratios within 1 / tolerance and tolerance count as calibrated.
    """
    chains = list(table["sampling"].unique())
    figure = plt.figure(figsize=(WIDTH, 0.78 * WIDTH))
    # rows of their own, as the names of conditions need room in the lower one only
    axes = [row.subplots(1, 2) for row in figure.subfigures(2, 1)]
    for place, (axis, chain) in enumerate(zip(axes[0], chains, strict=False)):
        _errors(axis, confidence[confidence["sampling"] == chain])
        panel(axis, chr(ord("a") + place), f"{chain}, all specimens and doses")
    specimen, dose = table["specimen"].iloc[0], table["dose"].min()
    some = confidence[(confidence["specimen"] == specimen) & (confidence["dose"] == dose)]
    _sparsification(axes[1][0], some[some["sampling"] == chains[0]])
    panel(axes[1][0], "c", f"{specimen}, {chains[0]}, {dose:g} e/Å²")
    _ratios(axes[1][1], table[table["quantity"] == "position"], tolerance)
    panel(axes[1][1], "d", "positions: true error over spread")
    axes[0][0].legend(frameon=False, fontsize=6)
    axes[1][0].legend(frameon=False, fontsize=6)
    return figure


def sparsification(errors: np.ndarray, ranked_by: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the share of columns left out, largest ``ranked_by`` first, and the mean error of the rest over that of all.

    Both (n,), finite; shares are 0, 1/n ... (n - 1)/n.
    """
    kept = np.arange(1, len(errors) + 1)
    mean = np.cumsum(errors[np.argsort(ranked_by, kind="stable")]) / kept / errors.mean()
    return 1 - kept[::-1] / len(errors), mean[::-1]


def _finite(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Give true errors and spreads of positions [pm] where both are finite."""
    pair = rows[["position_error", "position_spread"]].to_numpy()
    return tuple(pair[np.isfinite(pair).all(axis=1) & (pair > 0).all(axis=1)].T)


def _errors(axes, rows: pd.DataFrame) -> None:
    """Draw every column, and medians in bins of the spread; the line is what calibrated normal errors have."""
    for method, group in rows.groupby("method", sort=False):
        error, spread = _finite(group)
        label, colour, marker = METHODS[method]
        axes.plot(spread, error, ".", color=colour, alpha=0.3, markersize=1.5, markeredgewidth=0, rasterized=True)
        bins = np.array_split(np.argsort(spread, kind="stable"), BINS)
        medians = np.array([[np.median(spread[some]), np.median(error[some])] for some in bins])
        axes.plot(*medians.T, color=colour, marker=marker, label=label, markeredgecolor="white", markeredgewidth=0.4)
    error, spread = _finite(rows)
    # columns that end on one bound in all copies have no spread, and would stretch the axis
    ends = np.percentile(spread, [0.1, 100])
    # two normal components of one width: median √(ln 4) of it, root mean square √2
    axes.plot(ends, np.sqrt(np.log(4) / 2) * ends, color="black", linestyle="--", label="calibrated", linewidth=0.8)
    axes.set(xscale="log", yscale="log", xlabel="spread of position [pm]", ylabel="true error of position [pm]")
    axes.set(xlim=ends * [0.8, 1.2], ylim=np.percentile(error, [0.5, 100]) * [1, 1.5])


def _sparsification(axes, rows: pd.DataFrame) -> None:
    """Draw what remains of the mean error, by spread and (dotted) by the errors themselves."""
    for method, group in rows.groupby("method", sort=False):
        error, spread = _finite(group)
        label, colour, _ = METHODS[method]
        axes.plot(*sparsification(error, spread), color=colour, label=label)
        axes.plot(*sparsification(error, error), color=colour, linestyle=":")
    axes.plot([], [], color="grey", linestyle=":", label="oracle: by true error")
    axes.axhline(1, color="grey", linestyle="--", linewidth=0.8, label="random order")
    axes.set(xlabel="share of columns left out, widest spread first", ylabel="mean error of the rest")
    axes.set(xlim=(0, 0.97), ylim=(0, 1.6))


def _ratios(axes, table: pd.DataFrame, tolerance: float) -> None:
    """Draw ratios of all conditions with their intervals, and the band that counts as calibrated."""
    conditions = list(table.groupby(["sampling", "specimen", "dose"], sort=False).groups)
    axes.axvspan(1 / tolerance, tolerance, color="0.88", linewidth=0)
    axes.axvline(1, color="grey", linewidth=0.6)
    methods = list(table["method"].unique())
    for number, method in enumerate(methods):
        rows = table[table["method"] == method].set_index(["sampling", "specimen", "dose"]).loc[conditions]
        _, colour, marker = METHODS[method]
        error = [rows["ratio"] - np.maximum(rows["ratio_low"], 1e-3), rows["ratio_high"] - rows["ratio"]]
        at = np.arange(len(conditions)) + 0.25 * (number - (len(methods) - 1) / 2)
        axes.errorbar(rows["ratio"], at, xerr=error, color=colour, marker=marker, linestyle="none", elinewidth=0.7)
    names = [f"{specimen}, {chain}, {dose:g} e/Å²" for chain, specimen, dose in conditions]
    axes.set_yticks(range(len(conditions)), names, fontsize=6)
    axes.invert_yaxis()
    low, high = table["ratio"].min(), table["ratio"].max()
    axes.set(xscale="log", xlabel="root mean square error / spread", xlim=(min(0.4, 0.7 * low), max(2.5, 1.6 * high)))
    log_axis(axes.xaxis)
