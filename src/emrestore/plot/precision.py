"""Figures of the bulk series (Fig. 3) and of the displaced columns, drawn from tables and stored images."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import BOUND, METHODS, band, log_axis, panel, scale_bar

QUANTITIES = {"position": "position [pm]", "scs": "SCS [%]"}


def _dose_text(dose: float) -> str:
    exponent = int(np.floor(np.log10(dose)))
    return rf"${dose / 10**exponent:g}\times10^{exponent}$ e/Å$^2$"


def _panels(table: pd.DataFrame, samplings: dict[str, float]):
    """Yield row, column, title and rows of each panel: a row per pixel size, a column per dose and quantity."""
    for row, (sampling, pixel_size) in enumerate(samplings.items()):
        for place, dose in enumerate(sorted(table["dose"].unique())):
            for number, quantity in enumerate(QUANTITIES):
                mask = (table["sampling"] == sampling) & (table["dose"] == dose) & (table["quantity"] == quantity)
                yield (
                    row,
                    2 * place + number,
                    quantity,
                    f"{_dose_text(dose)}, {pixel_size:g} Å/px",
                    table[mask],
                )


def precision_figure(table: pd.DataFrame, samplings: dict[str, float], images: list[dict]) -> Figure:
    """Draw Fig. 3: precision against thickness at both doses and pixel sizes, and four example images.

    Parameters
    ----------
    table
        ``results/tables/fig03.csv``.
    samplings
        Pixel size [Å] of each sampling, one row of panels each.
    images
        Four dicts ``image`` (Y, X), ``title``, ``pixel_size``: raw and restored at the thinnest and lowest dose, then
        at the thickest and highest.
    """
    rows = len(samplings)
    figure, axes = plt.subplots(rows + 1, 4, figsize=(9.6, 2.25 * rows + 2.6), height_ratios=[1] * rows + [1.15])
    for row, column, quantity, title, mine in _panels(table, samplings):
        axis = axes[row, column]
        for method in METHODS:
            band(axis, mine[mine["method"] == method], "thickness", "std", method)
        bound = mine.drop_duplicates("thickness").sort_values("thickness")
        axis.plot(bound["thickness"], bound["crlb"], color=BOUND[1], linestyle="--", label=BOUND[0])
        axis.set(yscale="log", xlabel="thickness [unit cells]", ylabel=f"std of {QUANTITIES[quantity]}")
        log_axis(axis.yaxis)
        panel(axis, "abcd"[column] + "′" * row, title)
    for place, item in enumerate(images):
        axis = axes[rows, place]
        axis.imshow(item["image"], cmap="gray", interpolation="nearest")
        axis.set_axis_off()
        scale_bar(axis, item["pixel_size"], 5)
        panel(axis, "efgh"[place], item["title"])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4, frameon=False)
    return figure


def bias_figure(table: pd.DataFrame, samplings: dict[str, float]) -> Figure:
    """Draw RMSE against the clean image's fit (with the bound) and, dotted, the bias contained in it."""
    rows = len(samplings)
    figure, axes = plt.subplots(rows, 4, figsize=(9.6, 2.25 * rows + 0.5), squeeze=False)
    for row, column, quantity, title, mine in _panels(table, samplings):
        axis = axes[row, column]
        for method, (_, colour, _) in METHODS.items():
            series = mine[mine["method"] == method].sort_values("thickness")
            band(axis, series, "thickness", "rmse", method)
            axis.plot(series["thickness"], series["bias_rms"].where(series["bias_rms"] > 0), ":.", color=colour)
        bound = mine.drop_duplicates("thickness").sort_values("thickness")
        axis.plot(bound["thickness"], bound["crlb"], color=BOUND[1], linestyle="--", label=BOUND[0])
        axis.set(yscale="log", xlabel="thickness [unit cells]", ylabel=f"RMSE of {QUANTITIES[quantity]}")
        log_axis(axis.yaxis)
        panel(axis, "abcd"[column] + "′" * row, title)
    axes[0, 0].plot([], [], ":", color="gray", label="bias (rms over columns)")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=5, frameon=False)
    return figure


def displacement_figure(table: pd.DataFrame, samplings: dict[str, float], displacements: dict[str, float]) -> Figure:
    """Draw slope of measured against true displacement, and RMSE over the bound, against thickness.

    One row of panels per displaced specimen and pixel size; a pair of panels per dose.
    """
    doses = sorted(table["dose"].unique())
    cases = [(specimen, sampling) for specimen in displacements for sampling in samplings]
    figure, axes = plt.subplots(len(cases), 4, figsize=(9.6, 2.1 * len(cases) + 0.5), squeeze=False)
    for row, (specimen, sampling) in enumerate(cases):
        name = f"σ = {displacements[specimen]:g} Å, {samplings[sampling]:g} Å/px"
        for place, dose in enumerate(doses):
            mask = (table["specimen"] == specimen) & (table["sampling"] == sampling) & (table["dose"] == dose)
            mine = table[mask].sort_values("thickness")
            kept, error = axes[row, 2 * place : 2 * place + 2]
            for method, (label, colour, marker) in METHODS.items():
                series = mine[mine["method"] == method]
                for axis_name, line in (("x", "-"), ("y", ":")):
                    key = f"slope_{axis_name}"
                    bars = [series[key] - series[f"{key}_low"], series[f"{key}_high"] - series[key]]
                    kept.errorbar(
                        series["thickness"], series[key], yerr=bars, color=colour, marker=marker, linestyle=line,
                        elinewidth=0.7, label=label if axis_name == "x" else None,
                    )  # fmt: skip
                band(error, series, "thickness", "rmse", method)
            bound = mine.drop_duplicates("thickness")
            error.plot(bound["thickness"], bound["crlb"], color=BOUND[1], linestyle="--", label=BOUND[0])
            kept.axhline(1, color="black", linewidth=0.6)
            kept.set(xlabel="thickness [unit cells]", ylabel="slope, measured on true")
            # what one would get by never looking at the image and reporting the lattice site
            idle = mine.drop_duplicates("thickness")
            line = {"color": "gray", "linestyle": "-.", "label": "lattice site, no data"}
            error.plot(idle["thickness"], idle["displacement"], **line)
            error.set(yscale="log", xlabel="thickness [unit cells]", ylabel="position RMSE [pm]")
            log_axis(error.yaxis)
            panel(kept, "ac"[place] + "′" * row, f"{_dose_text(dose)}, {name}")
            panel(error, "bd"[place] + "′" * row)
    axes[0, 0].plot([], [], "k:", label="slow axis (y)")
    handles = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True))
    handles |= dict(zip(*axes[0, 1].get_legend_handles_labels()[::-1], strict=True))
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=6, columnspacing=1.2, frameon=False
    )
    return figure
