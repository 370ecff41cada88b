"""Figures of the audit: features that survive or not, and images unlike those that networks were trained on."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.realistic import RANGE, WIDTH, legend
from emrestore.plot.style import METHODS, panel, scale_bar

#: What columns hold, in the order of how much is missing or added, with short names.
CONTENTS = {
    "vacant column": "vacant\ncolumn",
    "half a column": "half a\ncolumn",
    "one atom missing": "atom\nmissing",
    "one atom of Z + 1": "atom of\nZ + 1",
    "one atom of Z + 10": "atom of\nZ + 10",
    "interstitial column": "inter-\nstitial",
}
#: Amplitudes beyond this are drawn at the edge.
LIMITS = (-0.6, 2.2)


def features_figure(
    images: Sequence[tuple[str, np.ndarray]],
    marks: dict[str, np.ndarray],
    survival: pd.DataFrame,
    invented: pd.DataFrame,
    pixel_size: float,
) -> Figure:
    """Draw images of the crystal with features, how much of each is kept at each dose, and the rate of phantoms.

    Parameters
    ----------
    images
        Title and (Y, X) of each image.
    marks
        Name of a kind of feature -> its sites (n, 2) [px], circled in the first image.
    survival
        Rows of ``results/tables/audit_features.csv`` of one chain.
    invented
        Rows of ``results/tables/audit_phantoms.csv``.
    pixel_size
        Edge of a pixel [Å].
    """
    doses = np.sort(survival["dose"].unique())
    figure = plt.figure(figsize=(WIDTH, 1.28 * WIDTH))
    parts = figure.subfigures(3, 1, height_ratios=[0.8, 1.7, 0.75])
    axes = parts[0].subplots(1, len(images))
    for place, (axis, (title, image)) in enumerate(zip(np.atleast_1d(axes), images, strict=True)):
        low, high = np.percentile(image, RANGE)
        axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="none")
        axis.set_axis_off()
        axis.set_title(f"({chr(ord('a') + place)}) {title}", loc="left", fontsize=6.5)
        scale_bar(axis, pixel_size, 10)
    colours = dict(zip(marks, ("#E69F00", "#56B4E9", "#009E73", "#CC79A7"), strict=False))
    for name, sites in marks.items():
        axes[0].plot(*sites.T, "o", markersize=5, markerfacecolor="none", color=colours[name], markeredgewidth=0.6)
    grid = parts[1].subplots(2, len(doses), sharey=True)
    for number, dose in enumerate(doses):
        rows = survival[survival["dose"] == dose]
        for row, axis in enumerate(grid[:, number]):
            axis.axhline(1, color="black", linewidth=0.6)
            axis.axhline(0, color="black", linewidth=0.6, linestyle=":")
            (_displacements if row == 0 else _contents)(axis, rows)
            axis.set_ylim(LIMITS)
            panel(axis, chr(ord("a") + len(images) + row * len(doses) + number), f"{dose:g} e/Å²")
        grid[0, number].set_xlabel("displacement of a column [Å]")
    for axis in grid[:, 0]:
        axis.set_ylabel("share that is measured")
    legend(parts[1], grid[0, 0])
    _phantoms(parts[2], invented, chr(ord("a") + len(images) + 2 * len(doses)))
    return figure


def _displacements(axis, rows: pd.DataFrame) -> None:
    """Draw the share of displacements that is kept, along both axes together, against their size."""
    moved = rows[rows["feature"].str.startswith("displaced")]
    for number, (method, (label, colour, marker)) in enumerate(METHODS.items()):
        some = moved[moved["method"] == method]
        if some.empty:
            continue
        both = some.groupby("size")
        value = both["amplitude"].mean()
        # two measurements whose noise is nearly independent
        half = both.apply(lambda one: np.hypot.reduce(one["amplitude_high"] - one["amplitude"]) / len(one))
        x = value.index.to_numpy() + 0.008 * (number - 1)
        axis.errorbar(x, value, half, color=colour, marker=marker, label=label, elinewidth=0.7)


def _contents(axis, rows: pd.DataFrame) -> None:
    """Draw the share of what columns miss or hold more that is kept."""
    present = [name for name in CONTENTS if (rows["feature"] == name).any()]
    for number, (method, (_, colour, marker)) in enumerate(METHODS.items()):
        some = rows[(rows["method"] == method) & rows["feature"].isin(present)].set_index("feature").reindex(present)
        if some["amplitude"].isna().all():
            continue
        x = np.arange(len(present)) + 0.15 * (number - 1.5)
        error = [some["amplitude"] - some["amplitude_low"], some["amplitude_high"] - some["amplitude"]]
        axis.errorbar(x, some["amplitude"], error, color=colour, marker=marker, linestyle="none", elinewidth=0.7)
    axis.set_xticks(range(len(present)), [CONTENTS[name] for name in present], fontsize=5.5)


def _phantoms(figure, invented: pd.DataFrame, letter: str) -> None:
    """Draw the rate of columns where there is none, per specimen and chain."""
    cases = list(invented.groupby(["specimen", "sampling"], sort=False))
    axes = np.atleast_1d(figure.subplots(1, len(cases), sharey=True))
    names = {"features": "vacuum", "film": "film", "flat": "noise"}
    for place, (axis, ((specimen, chain), group)) in enumerate(zip(axes, cases, strict=True)):
        for number, (method, (_, colour, marker)) in enumerate(METHODS.items()):
            rows = group[group["method"] + "_ls" == method].sort_values("dose")
            if rows.empty:
                continue
            error = [rows["rate"] - rows["rate_low"], rows["rate_high"] - rows["rate"]]
            axis.errorbar(
                rows["dose"] * 1.12 ** (number - 1), rows["rate"], error, color=colour, marker=marker, elinewidth=0.7
            )
        axis.set(xscale="log", xlabel="dose [e/Å²]")
        axis.set_yscale("symlog", linthresh=0.1)
        axis.set_ylim(bottom=0)
        panel(axis, chr(ord(letter) + place), f"{names.get(specimen, specimen)}, {chain}")
    axes[0].set_ylabel("false columns\nper 100 Å²")


def departures_figure(
    images: Sequence[Sequence[tuple[str, np.ndarray]]], table: pd.DataFrame, shown: Sequence[str]
) -> Figure:
    """Draw images unlike those that networks were trained on, what is gained in them, and slopes of displacements.

    Parameters
    ----------
    images
        For each specimen, titles and images (Y, X): clean, raw, restored.
    table
        ``results/tables/audit_departures.csv``.
    shown
        Specimens whose gains are drawn.
    """
    figure = plt.figure(figsize=(WIDTH, 1.05 * WIDTH))
    top, bottom = figure.subfigures(2, 1, height_ratios=[0.62, 0.43])
    grid = top.subplots(max(len(row) for row in images), len(images), squeeze=False)
    for column, row in zip(grid.T, images, strict=True):
        for axis, (title, image) in zip(column, row, strict=False):
            low, high = np.percentile(image, RANGE)
            # of a sparse image nearly all pixels are empty
            axis.imshow(image, cmap="gray", vmin=low, vmax=high if high > low else image.max(), interpolation="none")
            axis.set_title(title, loc="left", fontsize=6.5)
        for axis in column:
            axis.set_axis_off()
    gain_axis, slope_axis = bottom.subplots(1, 2)
    gains = table[
        (table["quantity"] == "psnr_gain") & (table["sampling"] == "poisson") & (table["method"] == "published")
    ]
    colours = plt.get_cmap("tab10").colors
    for colour, (specimen, rows) in zip(colours, gains.groupby("specimen"), strict=False):
        rows = rows.sort_values("dose")
        error = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        look = {"marker": "o", "color": colour, "elinewidth": 0.6, "label": specimen.replace("_", ", ")}
        gain_axis.errorbar(rows["dose"], rows["value"], error, **look)
    gain_axis.axhline(0, color="black", linewidth=0.6)
    gain_axis.set(xscale="log", xlabel="dose [e/Å²]", ylabel="PSNR restored less raw [dB]")
    gain_axis.legend(frameon=False, fontsize=5.5, ncols=2)
    gain_axis.set_ylim(top=1.25 * gains["value"].max())
    panel(gain_axis, "a", "gain, shot noise alone")
    slopes = table[table["quantity"] == "slope"]
    markers = {"disordered_small": "o", "disordered_large": "s", "dislocation": "^"}
    slopes = slopes[(slopes["sampling"] == "scanned") & slopes["method"].isin(["raw_ls", "published_ls"])]
    for (specimen, method), rows in slopes.groupby(["specimen", "method"]):
        rows = rows.sort_values("dose")
        error = [rows["value"] - rows["low"], rows["high"] - rows["value"]]
        look = {"color": METHODS[method][1], "marker": markers[specimen], "elinewidth": 0.6}
        slope_axis.errorbar(rows["dose"], rows["value"], error, **look)
    for specimen, marker in markers.items():
        name = {"dislocation": "core"}.get(specimen, specimen.replace("_", ", "))
        slope_axis.plot([], [], color="black", linestyle="none", marker=marker, label=name)
    for method in ("raw_ls", "published_ls"):
        slope_axis.plot([], [], color=METHODS[method][1], label=METHODS[method][0])
    slope_axis.legend(frameon=False, fontsize=5.5, loc="lower right")
    slope_axis.axhline(1, color="black", linewidth=0.6)
    slope_axis.set(xscale="log", xlabel="dose [e/Å²]", ylabel="slope of displacements", ylim=(-0.1, 1.6))
    panel(slope_axis, "b", "displacements, scanned")
    return figure
