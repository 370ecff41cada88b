"""The page of theory and measurement: each distortion's statistic, and what is left between the two."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

#: Title and scales of each effect's panel.
PANELS = {
    "exposure": ("dose (Eq. 30)", "linear", "linear"),
    "shot": ("shot noise (Eqs 30, 45)", "log", "linear"),
    "jitter": ("jitter series (Eq. 41)", "linear", "linear"),
    "resampling": ("resampling (Eq. 42)", "linear", "linear"),
    "photomultiplier": ("photomultiplier (Eqs 44, 46)", "log", "linear"),
    "fast_scan": ("fast scan (Eqs 47–50)", "linear", "linear"),
    "row_lines": ("row lines (Eq. 51)", "linear", "linear"),
    "black_pixels": ("black pixels (Eqs 37, 52)", "linear", "linear"),
    "mtf": ("camera MTF (Eqs 28, 29)", "linear", "linear"),
    "fixed_pattern": ("fixed pattern (Eq. 31)", "log", "linear"),
    "dark_current": ("dark current (Eqs 32, 33)", "log", "linear"),
    "thermal": ("thermal noise (Eq. 34)", "linear", "linear"),
    "flicker": ("flicker noise (Eq. 35)", "log", "log"),
    "reset": ("reset noise (Eq. 36)", "linear", "linear"),
    "saturation": ("saturation (Eqs 39, 54)", "linear", "linear"),
    "quantisation": ("quantisation (Eqs 40, 55)", "log", "linear"),
    "interpolation": ("interpolation", "linear", "log"),
    "blur": ("Gaussian blur", "linear", "linear"),
    "rectification": ("rectification", "linear", "linear"),
}
COLUMNS = 4
COLOURS = ("#0072B2", "#D55E00", "#009E73")
MARKERS = ("o", "s", "^")


def theory_page(table: pd.DataFrame) -> Figure:
    """Draw statistics over their variable, and below them the residual over its scale.

    Parameters
    ----------
    table
        What :func:`emrestore.distort.theory.compare` gives. Statistics of a single row stay in the table.
    """
    rows = -(-len(PANELS) // COLUMNS)
    figure = plt.figure(figsize=(7.1, 1.75 * rows))
    figure.get_layout_engine().set(h_pad=0.015, hspace=0.0)
    grids = figure.add_gridspec(rows, COLUMNS)
    for number, (effect, (title, x_scale, y_scale)) in enumerate(PANELS.items()):
        cell = grids[number // COLUMNS, number % COLUMNS].subgridspec(2, 1, height_ratios=(2.4, 1), hspace=0.0)
        upper, lower = figure.add_subplot(cell[0]), figure.add_subplot(cell[1])
        here = table[table["effect"] == effect]
        statistics = [name for name, group in here.groupby("statistic", sort=False) if len(group) > 1]
        for statistic, colour, marker in zip(statistics, COLOURS, MARKERS, strict=False):
            group = here[here["statistic"] == statistic].sort_values("x")
            name = statistic.replace(statistics[0].split(",")[0] + ", ", "") if len(statistics) > 1 else statistic
            error = np.where(group["random"], group["scale"], np.nan)
            if not (group["theory"] <= 0).all() or y_scale == "linear":
                upper.plot(group["x"], group["theory"], color=colour, linewidth=0.8)
            upper.errorbar(
                group["x"], group["measured"], yerr=error, color=colour, marker=marker, linestyle="none",
                markersize=2.2, elinewidth=0.6, label=name,
            )  # fmt: skip
            residual = (group["measured"] - group["theory"]) / group["scale"]
            lower.plot(group["x"], residual, color=colour, marker=marker, linestyle="none", markersize=2.2)
        limit = 3 if here["random"].any() else 1
        for height in (-limit, 0, limit):
            lower.axhline(height, color="#999999", linewidth=0.5, linestyle=":" if height else "-", zorder=0)
        lower.set_ylim(-1.5 * limit, 1.5 * limit)
        lower.set_yticks([-limit, limit])
        upper.set_xscale(x_scale)
        upper.set_yscale(y_scale)
        lower.set_xscale(x_scale)
        lower.set_xlim(upper.get_xlim())
        for axis in (upper.xaxis, lower.xaxis, upper.yaxis):
            axis.set_minor_formatter(NullFormatter())
        upper.tick_params(labelbottom=False, labelsize=5.5)
        lower.tick_params(labelsize=5.5)
        lower.set_xlabel(here["x_name"].iloc[0], fontsize=6, labelpad=1)
        lower.set_ylabel("/ s.e." if limit == 3 else "/ bound", fontsize=5.5, labelpad=1)
        upper.legend(fontsize=5, frameon=False, handlelength=1, borderaxespad=0.1)
        upper.set_title(f"({'abcdefghijklmnopqrstuvwxyz'[number]}) {title}", loc="left", fontsize=6.5, pad=3)
    return figure
