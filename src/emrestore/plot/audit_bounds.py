"""Errors on Gaussian columns against the bounds that hold for them: what lies below the Cramér-Rao bound, and why."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from emrestore.plot.style import BOUND, METHODS, log_axis, panel

WIDTH = 180 / 25.4
#: Share of the room of a dose that its markers or bars take.
GROUP = 0.75


def bounds_figure(table: pd.DataFrame) -> Figure:
    """Draw the perfect lattice, what estimates follow, and errors and slopes against how far columns are displaced.

    Parameters
    ----------
    table
        ``results/tables/audit_bounds.csv``.
    """
    doses = sorted(table["dose"].unique())
    methods = [name for name in METHODS if (table["method"] == name).any()]
    figure = plt.figure(figsize=(WIDTH, 1.02 * WIDTH))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.5])
    _perfect(top, table, doses, methods)
    axes = bottom.subplots(2, len(doses), sharex=True, sharey="row", height_ratios=[1.6, 1], squeeze=False)
    widths = np.sort(table.loc[table["experiment"] == "prior", "prior"].unique())
    for place, dose in enumerate(doses):
        _displaced(axes[:, place], table[table["dose"] == dose], methods)
        panel(axes[0, place], "cdefgh"[place], f"{dose:g} e/Å²")
        axes[1, place].set(xlabel="rms displacement per axis [pm]", ylim=(-0.15, 1.6))
        axes[1, place].set_xticks(widths, [f"{width:g}" for width in widths], minor=False)
        axes[1, place].set_xticks([], minor=True)
    floor = 0.5 * table.loc[table["quantity"] == "rmse", "value"].min()
    axes[0, 0].set(ylabel="RMSE of positions [pm]")
    axes[0, 0].set_ylim(bottom=floor)
    axes[1, 0].set(ylabel="slope, measured on true")
    shown = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True))
    bottom.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _perfect(figure, table: pd.DataFrame, doses: Sequence[float], methods: Sequence[str]) -> None:
    """Draw std, RMSE and biased bound on the undisplaced lattice over the bound, and what moves an estimate."""
    scatter, follow = figure.subplots(1, 2)
    table = table[table["prior"] == 0]
    places = np.arange(len(doses)) + 0.0
    limit = table[table["quantity"] == "crlb"].set_index("dose")["value"].loc[doses]
    room = GROUP / len(methods)
    for number, method in enumerate(methods):
        _, colour, marker = METHODS[method]
        at = places + (number - (len(methods) - 1) / 2) * room
        mine = table[table["method"] == method].groupby("quantity")
        rows = {name: some.set_index("dose")[["value", "low", "high"]].loc[doses] for name, some in mine}
        for name, shift, fill in (("std", -0.2 * room, colour), ("rmse", 0.2 * room, "white")):
            value, low, high = rows[name].div(limit, axis=0).to_numpy().T
            scatter.errorbar(
                at + shift, value, [value - low, high - value], color=colour, marker=marker, markerfacecolor=fill,
                linestyle="none", elinewidth=0.7, zorder=3,
            )  # fmt: skip
        biased = rows["biased_bound"].div(limit, axis=0)
        scatter.bar(
            at, (biased["high"] - biased["low"]), room, biased["low"], color=colour, alpha=0.25, linewidth=0, zorder=1
        )
        scatter.hlines(biased["value"], at - room / 2, at + room / 2, color=colour, linewidth=1.4, zorder=2)
        for name, bottom, alpha in (("own", 0.0, 1.0), ("neighbours", rows["own"]["value"], 0.35)):
            follow.bar(at, rows[name]["value"], 0.85 * room, bottom, color=colour, alpha=alpha, linewidth=0)
        for name, shift, bottom, shade in (
            ("own", -0.15, 0.0, "black"),
            ("neighbours", 0.15, rows["own"]["value"], "gray"),
        ):
            value, low, high = rows[name].to_numpy().T
            ends = [value - low, high - value]
            follow.errorbar(at + shift * room, value + bottom, ends, linestyle="none", color=shade, elinewidth=0.7)
    scatter.axhline(1, color=BOUND[1], linestyle="--", linewidth=0.9)
    scatter.set(yscale="log", ylabel="over the Cramér–Rao bound")
    # an interval may reach down to zero
    drawn = table[table["quantity"].isin(["std", "biased_bound"]) & (table["value"] > 0)]
    scatter.set_ylim(bottom=0.5 * (drawn["value"] / drawn["dose"].map(limit)).min())
    log_axis(scatter.yaxis)
    handles = [
        Line2D([], [], linestyle="none", marker="o", color="gray", label="standard deviation"),
        Line2D([], [], linestyle="none", marker="o", color="gray", markerfacecolor="white", label="RMSE"),
        Line2D([], [], color="gray", linewidth=1.4, label="biased Cramér–Rao bound"),
        Line2D([], [], color=BOUND[1], linestyle="--", label=BOUND[0]),
    ]
    scatter.legend(handles=handles, frameon=False, fontsize=6)
    panel(scatter, "a", "perfect lattice")
    follow.axhline(1, color="black", linewidth=0.6)
    follow.axhline(0, color="black", linewidth=0.6)
    follow.set(ylabel="shift of an estimate [pm/pm]", ylim=(-0.1, 1.8))
    handles = [
        Patch(color="gray", label="its own column moves"),
        Patch(color="gray", alpha=0.35, label="neighbours do"),
    ]
    follow.legend(
        handles=handles,
        frameon=False,
        fontsize=6,
        ncols=2,
        loc="lower right",
        bbox_to_anchor=(1.03, 0.97),
        columnspacing=1.0,
    )
    panel(follow, "b", "response")
    for axis in (scatter, follow):
        axis.set(xlabel="dose [e/Å²]")
        axis.set_xticks(places, [f"{dose:g}" for dose in doses])


def _displaced(axes, table: pd.DataFrame, methods: Sequence[str]) -> None:
    """Draw RMSE and slope against the width of the prior at one dose."""
    error, slope = axes
    bound = table[table["method"] == "bound"]
    trees = bound[(bound["quantity"] == "van_trees") & (bound["prior"] > 0)].sort_values("prior")
    error.fill_between(trees["prior"], 0, trees["value"], color="0.88", linewidth=0, label="no estimate (van Trees)")
    site = bound[(bound["quantity"] == "lattice_site") & (bound["prior"] > 0)].sort_values("prior")
    error.plot(site["prior"], site["value"], "-.", color="gray", label="lattice site, no data")
    limit = bound.loc[bound["quantity"] == "crlb", "value"].item()
    error.axhline(limit, color=BOUND[1], linestyle="--", linewidth=0.9, label=BOUND[0])
    for method in methods:
        label, colour, marker = METHODS[method]
        rows = table[(table["method"] == method) & (table["experiment"] == "prior")]
        for axis, name in ((error, "rmse"), (slope, "slope")):
            some = rows[rows["quantity"] == name].sort_values("prior")
            bars = [some["value"] - some["low"], some["high"] - some["value"]]
            axis.errorbar(some["prior"], some["value"], bars, color=colour, marker=marker, elinewidth=0.7, label=label)
    smallest = table.loc[(table["experiment"] == "prior") & (table["prior"] > 0), "prior"].min()
    error.set(yscale="log")
    error.set_xscale("symlog", linthresh=smallest, linscale=0.6)
    error.set_xlim(-0.15 * smallest, trees["prior"].max())
    log_axis(error.yaxis)
    slope.axhline(1, color="black", linewidth=0.6)
    slope.axhline(0, color="black", linewidth=0.6)
