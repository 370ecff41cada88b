"""Sums of profiles beside multislice images: pictures, and how far they agree."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure

from emrestore.plot.style import log_axis, panel

#: Label, colour and marker of each kind of sum.
SUMS = {
    "scaled": ("best fit, any width", "#009E73", "D"),
    "best": ("best fit, radii of Eq. 21", "#0072B2", "o"),
    "power": ("drawn, intensities ~ $Z^γ$", "#E69F00", "s"),
    "sorted": ("drawn, intensities sorted", "#D55E00", "^"),
}
THICKNESSES = ("#999999", "#0072B2", "#000000")
BLOCKS = 5


def formula(name: str) -> str:
    """Write a chemical formula with its numbers as subscripts."""
    return "".join(f"$_{letter}$" if letter.isdigit() else letter for letter in name)


def realism_figure(table: pd.DataFrame, powers: pd.DataFrame, pictures: list[xr.Dataset]) -> Figure:
    """Draw the crystals at their middle thickness, and below how far sums of profiles agree at all.

    Parameters
    ----------
    table, powers
        ``results/tables/realism.csv`` and ``realism_powers.csv``.
    pictures
        A dataset per crystal, ``image`` (thickness, kind, y, x).
    """
    thicknesses = np.sort(table["nominal"].unique())
    shown = thicknesses[len(thicknesses) // 2]
    rows = -(-len(pictures) // BLOCKS)
    figure = plt.figure(figsize=(9.6, 0.88 * rows + 5.6))
    figure.get_layout_engine().set(h_pad=0.02, w_pad=0.02)
    upper, lower = figure.subfigures(2, 1, height_ratios=(0.88 * rows + 0.3, 5.3))
    _gallery(upper, table[table["nominal"] == shown].set_index("crystal"), pictures, shown, rows)
    top, bottom = lower.subfigures(2, 1, height_ratios=(1.15, 1))
    _correlations(top.subplots(), table[table["nominal"] == shown], shown)
    axes = bottom.subplots(1, 3)
    _ratios(axes[0], table[table["kinds"] > 1])
    _thickness(axes[1], table)
    _atomic_number(axes[2], table[table["elements"] == 1], powers, thicknesses)
    return figure


def _gallery(figure, table: pd.DataFrame, pictures: list[xr.Dataset], shown: float, rows: int) -> None:
    axes = figure.subplots(rows, 3 * BLOCKS, squeeze=False)
    for axis in axes.ravel():
        axis.set_axis_off()
    for number, dataset in enumerate(pictures):
        block = axes[number // BLOCKS, 3 * (number % BLOCKS) : 3 * (number % BLOCKS) + 3]
        name = dataset.attrs["crystal"]
        row = table.loc[name]
        for axis, image in zip(block, dataset["image"].sel(thickness=shown).values, strict=True):
            axis.imshow(image, cmap="gray", interpolation="bicubic", vmin=min(0, image.min()))
        block[0].set_title(f"{formula(name)} [{row['axis']}]", fontsize=6.5, loc="left", pad=2)
        block[1].set_title(f"{row['best_correlation']:.2f}", fontsize=6, color=SUMS["best"][1], loc="right", pad=2)
        block[2].set_title(f"{row['power_correlation']:.2f}", fontsize=6, color=SUMS["power"][1], loc="right", pad=2)
    figure.suptitle(
        f"(a) {shown:g} nm, fields of 10 Å: multislice, best sum of profiles, sum with parameters in the middle of "
        "their ranges; numbers are correlations (best, median draw)",
        fontsize=7.5, x=0.005, ha="left",
    )  # fmt: skip


def _correlations(axis, table: pd.DataFrame, shown: float) -> None:
    table = table.sort_values("power_correlation", ascending=False)
    x = np.arange(len(table))
    for kind, (label, colour, marker) in SUMS.items():
        y = table[f"{kind}_correlation"]
        if f"{kind}_correlation_low" in table:
            bars = [y - table[f"{kind}_correlation_low"], table[f"{kind}_correlation_high"] - y]
            axis.errorbar(x, y, yerr=bars, color=colour, marker=marker, linestyle="none", elinewidth=0.7, label=label)
        else:
            axis.plot(x, y, color=colour, marker=marker, linestyle="none", label=label)
    axis.plot(x, table["repeat"], color="black", marker="_", linestyle="none", label="multislice repeated")
    axis.axhline(0.9, color="#999999", linewidth=0.6, linestyle=":")
    axis.set_xticks(x, [formula(name) for name in table["crystal"]], rotation=60)
    axis.set(ylabel="correlation", xlim=(-0.6, len(table) - 0.4))
    axis.legend(loc="lower left", ncols=2, frameon=False)
    panel(axis, "b", f"correlation with the multislice image at {shown:g} nm; bars: middle 90 % of draws")


def _ratios(axis, table: pd.DataFrame) -> None:
    for kind, (_, colour, marker) in reversed(SUMS.items()):
        axis.plot(table["ratio"], table[f"{kind}_ratio"], color=colour, marker=marker, linestyle="none", alpha=0.8)
    ends = np.array([0.8 * table["ratio"].min(), 1]) if len(table) else np.array([0.1, 1])
    axis.plot(ends, ends, color="black", linewidth=0.6)
    axis.set(xscale="log", yscale="log", xlabel="multislice", ylabel="sum of profiles")
    log_axis(axis.xaxis)
    log_axis(axis.yaxis)
    panel(axis, "c", "dimmest over brightest column")


def _thickness(axis, table: pd.DataFrame) -> None:
    colours = plt.get_cmap("viridis")
    top = table["mean_z"].max()
    for _, group in table.groupby("crystal"):
        axis.plot(
            group["thickness"], group["linearity"], color=colours(0.95 * group["mean_z"].iloc[0] / top), marker="."
        )
    axis.axhline(1, color="black", linewidth=0.6)
    axis.set(xscale="log", xlabel="thickness [nm]", ylabel="signal per atom / thinnest")
    log_axis(axis.xaxis)
    bar = axis.figure.colorbar(plt.cm.ScalarMappable(plt.Normalize(0, top / 0.95), colours), ax=axis, pad=0.02)
    bar.set_label("mean Z")
    panel(axis, "d", "linear in thickness?")


def _atomic_number(axis, table: pd.DataFrame, powers: pd.DataFrame, thicknesses: np.ndarray) -> None:
    for nominal, colour in zip(thicknesses, THICKNESSES, strict=False):
        group = table[table["nominal"] == nominal].sort_values("mean_z")
        found = powers[powers["nominal"] == nominal]
        label = f"{nominal:g} nm"
        if len(found):
            power, error = found[["power", "power_se"]].iloc[0]
            label += f": $Z^{{{power:.2f} ± {error:.2f}}}$"
            line = np.exp(np.log(group["cross_section"]).mean() + power * _centred(np.log(group["mean_z"])))
            axis.plot(group["mean_z"], line, color=colour, linewidth=0.7)
        axis.plot(group["mean_z"], group["cross_section"], color=colour, marker="o", linestyle="none", label=label)
    axis.set(xscale="log", yscale="log", xlabel="Z", ylabel="cross section per atom [Å²]")
    log_axis(axis.xaxis)
    axis.legend(frameon=False)
    panel(axis, "e", "crystals of one element")


def _centred(values: pd.Series) -> pd.Series:
    return values - values.mean()
