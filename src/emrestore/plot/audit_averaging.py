"""What is left of an image's error when many are averaged: curves, bias maps, Fourier rings."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from emrestore.frc import SEVENTH
from emrestore.plot.style import METHODS, log_axis, panel, scale_bar

WIDTH = 180 / 25.4
#: Scale bar [Å].
BAR = 10


def averaging_figure(
    averaging: pd.DataFrame,
    frc: pd.DataFrame,
    maps: Mapping[float, np.ndarray],
    circle: tuple[np.ndarray, float],
    pixel_size: float,
) -> Figure:
    """Draw a row for each dose: the error of the mean of n images, the bias of restored ones, and Fourier rings.

    Parameters
    ----------
    averaging, frc
        Rows of ``results/tables/audit_averaging.csv`` (images, region ``all``) and ``audit_frc.csv`` of one specimen
        and chain.
    maps
        Dose [e/Å²] -> (Y, X) bias of restored images [% of the clean peak].
    circle
        Centre [px] and radius [px] of what is circled.
    pixel_size
        Edge of a pixel [Å].
    """
    figure, axes = plt.subplots(len(maps), 3, figsize=(WIDTH, 0.31 * WIDTH * len(maps)), squeeze=False)
    for row, (dose, bias) in enumerate(maps.items()):
        curves, image, rings = axes[row]
        _curves(curves, averaging[averaging["dose"] == dose])
        panel(curves, chr(ord("a") + 3 * row), f"mean of n, {dose:g} e/Å²")
        limit = np.percentile(np.abs(bias), 99.5)
        shown = image.imshow(bias, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="none")
        image.set_axis_off()
        image.add_patch(Circle(*circle, fill=False, color="black", linewidth=0.8))
        scale_bar(image, pixel_size, BAR)
        for artist in (image.lines[-1], image.texts[-1]):
            artist.set_color("black")
        figure.colorbar(shown, ax=image, label="bias [% of clean peak]", shrink=0.85)
        panel(image, chr(ord("b") + 3 * row), "bias of restored images")
        _rings(rings, frc[frc["dose"] == dose])
        panel(rings, chr(ord("c") + 3 * row), "Fourier rings")
    axes[0, 0].set_ylim(top=8 * axes[0, 0].get_ylim()[1])  # room for the legend
    axes[0, 0].legend(frameon=False, fontsize=5.5, loc="upper right")
    axes[0, 2].legend(frameon=False, fontsize=5.5, loc="upper right")
    return figure


def _curves(axes, table: pd.DataFrame) -> None:
    """Draw root mean square errors of means, dashed 1 / √n from a single image's, dotted the bias that remains."""
    for method in table["method"].unique():
        rows = table[table["method"] == method].sort_values("images")
        finite, bias = rows[np.isfinite(rows["images"])], rows[np.isinf(rows["images"])].iloc[0]
        label, colour, marker = METHODS[f"{method}_ls"]
        root, low, high = (np.sqrt(np.maximum(finite[name], 0)) for name in ("mse", "mse_low", "mse_high"))
        axes.errorbar(
            finite["images"],
            root,
            [root - low, high - root],
            color=colour,
            marker=marker,
            elinewidth=0.7,
            label=label.removesuffix(", least squares"),
        )
        unbiased = root.iloc[0] / np.sqrt(finite["images"])
        axes.plot(finite["images"], unbiased, color=colour, linestyle="--", linewidth=0.7)
        if bias["mse_low"] > 0:
            axes.axhline(np.sqrt(bias["mse"]), color=colour, linestyle=":", linewidth=0.9)
    axes.plot([], [], color="grey", linestyle="--", linewidth=0.7, label="1 / √n")
    axes.plot([], [], color="grey", linestyle=":", linewidth=0.9, label="bias, n → ∞")
    axes.set(xscale="log", yscale="log", xlabel="images averaged, n", ylabel="rms error [% of clean peak]")
    log_axis(axes.xaxis)
    log_axis(axes.yaxis)


def _rings(axes, table: pd.DataFrame) -> None:
    """Draw FRC_pair, FRC_truth² (dashed) and, between them, the power that is repeatable and false."""
    for method in table["method"].unique():
        rows = table[table["method"] == method].sort_values("frequency")
        label, colour, _ = METHODS[f"{method}_ls"]
        label = label.removesuffix(", least squares")
        axes.plot(rows["frequency"], rows["pair"], color=colour, label=label, linewidth=0.9)
        axes.plot(rows["frequency"], rows["truth_squared"], color=colour, linestyle="--", linewidth=0.9)
        axes.fill_between(rows["frequency"], rows["truth_squared"], rows["pair"], color=colour, alpha=0.18, linewidth=0)
    axes.plot([], [], color="grey", label="one with another")
    axes.plot([], [], color="grey", linestyle="--", label="with the truth, squared")
    axes.axhline(SEVENTH, color="grey", linewidth=0.5, linestyle=":")
    axes.set(xlabel="spatial frequency [1/Å]", ylabel="correlation", ylim=(-0.08, 1.35), yticks=np.arange(0, 1.1, 0.25))
    axes.set_xlim(0, table["frequency"].max())
