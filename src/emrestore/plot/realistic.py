"""Figs 4 and 5: a dislocation and a particle, raw and restored, and what is measured in them."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from emrestore.plot.style import METHODS, band, log_axis, panel, scale_bar

WIDTH = 180 / 25.4
#: Percentiles of an image that are black and white.
RANGE = (1, 99.5)
BAR = 10


def dislocation_figure(
    table: pd.DataFrame,
    clean: np.ndarray,
    images: Mapping[str, np.ndarray],
    circuits: Mapping[str, tuple[np.ndarray, np.ndarray]],
    core: tuple[np.ndarray, float],
    pixel_size: float,
) -> Figure:
    """Draw Fig. 4: the structure, recordings and restorations with Burgers circuits, and errors at the core.

    Parameters
    ----------
    table
        Rows of ``results/tables/realistic.csv`` of the dislocation under one chain.
    clean
        (Y, X) the undistorted image.
    images
        Title -> (Y, X), in their order.
    circuits
        Title -> path (n, 2) [px] and closure (2,) [Å], where one was walked.
    core
        Centre [px] and radius [px] of the circle about the columns that are scored as the core.
    pixel_size
        Edge of a pixel [Å].
    """
    figure = plt.figure(figsize=(WIDTH, 0.62 * WIDTH))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1, 1.6])
    axes = top.subplots(1, 1 + len(images))
    shown = {"structure": clean, **images}
    for place, (axis, (title, image)) in enumerate(zip(axes, shown.items(), strict=True)):
        low, high = np.percentile(image, RANGE)
        axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="none")
        axis.set_axis_off()
        axis.set_title(f"({chr(ord('a') + place)}) {title}", loc="left", fontsize=6.5)
        if title in circuits:
            path, closure = circuits[title]
            axis.plot(*path.T, color="#F0E442", linewidth=0.8)
            axis.plot(*np.stack([path[-1], path[-1] + closure / pixel_size]).T, color="#D55E00", linewidth=1.2)
    axes[0].add_patch(Circle(core[0], core[1], fill=False, color="red", linewidth=0.8))
    scale_bar(axes[0], pixel_size, BAR)
    quantities = {
        "position": "position error [pm]",
        "scs": "error of cross section [%]",
        "position_std": "scatter of positions [pm]",
        "scs_std": "scatter of cross sections [%]",
    }
    axes = bottom.subplots(1, 4)
    _curves(axes, table, quantities, len(shown))
    legend(bottom, axes[0])
    return figure


def particle_figure(table: pd.DataFrame, counts: pd.DataFrame, confusions: Sequence[tuple[str, np.ndarray]]) -> Figure:
    """Draw Fig. 5: errors of positions and cross sections, columns counted right, and what was mistaken for what.

    Parameters
    ----------
    table
        Rows of ``results/tables/realistic.csv`` of the particle under one chain.
    counts
        Rows of ``results/tables/counts.csv`` of that chain, and of the undistorted image.
    confusions
        Title and matrix (true, counted) of some conditions.
    """
    figure = plt.figure(figsize=(WIDTH, 0.75 * WIDTH))
    top, bottom = figure.subfigures(2, 1, height_ratios=[1.25, 1])
    axes = top.subplots(1, 3)
    _curves(axes[:2], table, {"position": "position error [pm]", "scs": "error of cross section [%]"}, 0)
    for method, rows in counts[np.isfinite(counts["dose"])].groupby("method"):
        for route, line in (("library", "-"), ("mixture", ":")):
            some = rows[rows["route"] == route].sort_values("dose")
            _, colour, marker = METHODS[method]
            error = [some["right"] - some["right_low"], some["right_high"] - some["right"]]
            axes[2].errorbar(some["dose"], some["right"], error, color=colour, marker=marker, linestyle=line)
    undistorted = counts[np.isinf(counts["dose"]) & (counts["route"] == "library")]
    axes[2].axhline(undistorted["right"].min(), color="black", linewidth=0.7, linestyle="--")
    axes[2].set(xscale="log", xlabel="dose [e/Å²]", ylabel="columns counted right", ylim=(0, 1.02))
    panel(axes[2], "c")
    for line, label in (("-", "library"), (":", "mixture"), ("--", "library, undistorted")):
        axes[2].plot([], [], color="black", linewidth=0.8, linestyle=line, label=label)
    legend(top, axes[0], axes[2])
    shown = bottom.subplots(1, len(confusions))
    for place, (axis, (title, matrix)) in enumerate(zip(np.atleast_1d(shown), confusions, strict=True)):
        share = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        edges = (-0.5, share.shape[1] - 0.5, 0.5, share.shape[0] - 0.5)
        axis.imshow(share[1:], cmap="Blues", vmin=0, vmax=1, origin="lower", extent=edges)
        axis.set(xlabel="counted", ylabel="atoms", xticks=range(0, share.shape[1], 3), yticks=range(3, len(share), 3))
        axis.set_title(f"({chr(ord('d') + place)}) {title}", loc="left", fontsize=6.5)
    return figure


def _curves(axes, table: pd.DataFrame, quantities: Mapping[str, str], first: int) -> None:
    """Draw quantities against dose for all methods; dashed where an image's mean displacement is taken away."""
    region = "core" if (table["region"] == "core").any() else "all"
    for place, (axis, (quantity, label)) in enumerate(zip(axes, quantities.items(), strict=True)):
        for method in METHODS:
            rows = table[(table["region"] == region) & (table["method"] == method)]
            some = rows[rows["quantity"] == quantity]
            band(axis, some.rename(columns={"low": "value_low", "high": "value_high"}), "dose", "value", method)
            if quantity == "position":
                still = rows[rows["quantity"] == "position_drift"].sort_values("dose")
                axis.plot(still["dose"], still["value"], color=METHODS[method][1], linestyle="--", linewidth=0.8)
        axis.set(xscale="log", yscale="log", xlabel="dose [e/Å²]", ylabel=label)
        log_axis(axis.yaxis)
        panel(axis, chr(ord("a") + first + place))


def legend(figure, *axes) -> None:
    """Put what axes label below the panels."""
    found = [axis.get_legend_handles_labels() for axis in axes]
    handles, labels = ([item for parts in found for item in parts[place]] for place in (0, 1))
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), frameon=False, fontsize=6)
