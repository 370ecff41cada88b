"""What a network's belief in a lattice buys and costs."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import panel

WIDTH = 180 / 25.4
#: Colours of doses, from low to high, and dashes of the other methods.
SHADES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = {"published": "--", "raw": ":"}


def priors_figure(table: pd.DataFrame) -> Figure:
    """Draw images, positions and contents of columns against the disorder that the network is told to expect.

    Parameters
    ----------
    table
        ``results/tables/priors.csv``.
    """
    figure, axes = plt.subplots(2, 3, figsize=(WIDTH, 0.66 * WIDTH), sharex=True)
    widths = sorted(table["width"].dropna().unique())
    doses = sorted(table["dose"].dropna().unique())
    specimens = [("gain_ordered", "without disorder"), ("gain_disordered", "with disorder")]
    published = []
    for shade, (quantity, label) in zip(SHADES, specimens, strict=False):
        rows = table[table["quantity"] == quantity].set_index("method")
        _draw(axes[0, 0], rows.loc[["trained"]].reset_index(), shade, label)
        published.append(f"{rows.loc['published', 'value']:.1f} {label}".replace("-", "−"))
    # written, as a line there would leave no height to what the figure is about
    axes[0, 0].text(0.03, 0.03, "\n".join(["published:", *published]), fontsize=6, transform=axes[0, 0].transAxes)
    axes[0, 0].margins(y=0.5)
    axes[0, 0].set(ylabel="PSNR less that told least [dB]")
    panel(axes[0, 0], "a", "validation pairs")
    largest = max(widths)
    shown = [
        (axes[0, 1], "rmse", min(widths), "position RMSE [pm]", "perfect lattice", None),
        (axes[0, 2], "rmse", largest, "position RMSE [pm]", f"displaced by {largest:g} pm per axis", None),
        (axes[1, 0], "slope", largest, "slope", f"displaced by {largest:g} pm per axis", 1.0),
        (axes[1, 1], "vacancy", 0.0, "shown over whole column", "vacancy", 0.0),
        (axes[1, 2], "half", 0.0, "shown over whole column", "half a column", 0.5),
    ]
    for letter, (axis, quantity, width, label, title, truth) in zip("bcdef", shown, strict=True):
        rows = table[(table["quantity"] == quantity) & (table["width"] == width)]
        for shade, dose in zip(SHADES, doses, strict=False):
            _draw(axis, rows[rows["dose"] == dose], shade, f"{dose:,.0f} e/Å²")
        if truth is not None:
            axis.axhline(truth, color="black", linewidth=0.6)
        else:
            axis.set_yscale("log")
        axis.set(ylabel=label)
        panel(axis, letter, title)
    for axis in axes[1]:
        axis.set(xlabel="disorder told")
    handles = dict(zip(*axes[0, 0].get_legend_handles_labels()[::-1], strict=True))
    axes[0, 0].legend(handles.values(), handles.keys(), frameon=False, fontsize=6)
    handles = dict(zip(*axes[0, 1].get_legend_handles_labels()[::-1], strict=True))
    for method, dash in DASHES.items():
        handles[method] = plt.Line2D([], [], color="black", linestyle=dash)
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _draw(axis, rows: pd.DataFrame, colour: str, label: str) -> None:
    """Draw one quantity of the trained network against what it is told, and of the others as lines and bands across."""
    told = rows[rows["method"] == "trained"].sort_values("disorder")
    error = [told["value"] - told["low"], told["high"] - told["value"]]
    axis.errorbar(told["disorder"], told["value"], error, marker="o", color=colour, label=label, elinewidth=0.7)
    for method, dash in DASHES.items():
        for row in rows[rows["method"] == method].itertuples():
            axis.axhline(row.value, color=colour, linestyle=dash, linewidth=0.8)
            axis.axhspan(row.low, row.high, color=colour, alpha=0.12, linewidth=0)
