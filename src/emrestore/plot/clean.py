"""Clean images and what they were drawn from, and the whitening transforms of one (Fig. 11)."""

import math
import textwrap
from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from ase.data import chemical_symbols
from matplotlib.figure import Figure

from emrestore.image import shard, survey
from emrestore.plot.style import panel, scale_bar

#: Width of a figure [inch].
WIDTH = 180 / 25.4
SIDE = 8
#: Measured in images, not drawn: standard deviation over mean.
CONTRAST = "contrast"
#: Letters of elements that are named in a recipe, and their number.
NAMED = 4
#: Label and colour of each group of spectra.
GROUPS = {
    "fine": ("below 0.1 Å/px", "#D55E00"),
    "middle": ("0.1 to 0.3 Å/px", "#009E73"),
    "coarse": ("above 0.3 Å/px", "#0072B2"),
    "low resolution": ("low resolution", "#000000"),
}


def recipe(drawn: Mapping) -> str:
    """Put an image's specimen, or its objects, into two short lines."""
    if drawn["kind"] == "low resolution":
        kinds = sorted({str(part["kind"]).replace("_", " ") for part in drawn["objects"]["parts"]})
        return textwrap.fill(" + ".join(kinds), 28)
    specimen, support = drawn["specimen"], drawn["support"]
    elements = [chemical_symbols[z] for z in specimen["elements"]]
    first = "".join(elements[:NAMED]) + ("…" if len(elements) > NAMED else "")
    if drawn["kind"] == "crystalline":
        zone = specimen["orientation"]["zone"]
        first += f", {specimen['group']}" + (f" [{''.join(map(str, zone))}]" if zone else "")
    else:
        first += ", glass" if drawn["kind"] == "amorphous" else ", atoms"
    below = {True: "no support", False: ""}[support is None]
    if support is not None:
        below = f"{support['kind'][:5]}. {support['thickness'] / 10:.0f} nm"
    return f"{first}\n{drawn['pixel_size']:.2g} Å/px, {below}"


def images_figure(images: xr.Dataset) -> Figure:
    """Draw the first 64 images of a shard, each from its darkest to its brightest pixel, and their recipes."""
    edge, text = WIDTH / SIDE, 0.17
    rows = min(SIDE, math.ceil(images.sizes["number"] / SIDE))
    height = rows * (edge + text)
    figure, axes = plt.subplots(rows, SIDE, figsize=(WIDTH, height), layout="none")
    figure.subplots_adjust(0.005, text / height, 0.995, 1 - 0.03 / height, wspace=0.05, hspace=0.2)
    for axis in axes.flat:
        axis.set_axis_off()
    made = shard.drawn(images)
    for axis, image, drawn in zip(axes.flat, images.image.values, made, strict=False):
        axis.imshow(image, cmap="gray", interpolation="none")
        axis.annotate(
            recipe(drawn), (0, 0), (0, -1), "axes fraction", "offset points", va="top", fontsize=3.9, linespacing=1.05
        )
    return figure


def survey_figure(draws: pd.DataFrame, spectra: pd.DataFrame, ranges: Mapping) -> Figure:
    """Draw histograms of what was drawn on the densities of their ranges, and radial spectra.

    Parameters
    ----------
    draws, spectra
        ``results/tables/generator_draws.csv`` and ``results/tables/generator_spectra.csv``.
    ranges
        Key of the section ``generator`` -> its value.
    """
    names = [*survey.QUANTITIES, CONTRAST]
    figure, axes = plt.subplots(4, 4, figsize=(WIDTH, 0.9 * WIDTH))
    for place, (axis, name) in enumerate(zip(axes.flat, names, strict=False)):
        values = draws.loc[draws["quantity"] == name, "value"].to_numpy(float)
        key = survey.QUANTITIES[name][1] if name != CONTRAST else "intensity/contrast"
        logarithmic = key in survey.LOGARITHMIC
        expected = survey.distribution(key, ranges[key])
        low, high = expected.ppf([0, 0.999]) if key in survey.HALF_NORMAL else expected.support()
        edges = np.geomspace(low, high, 21) if logarithmic else np.linspace(low, high, 21)
        axis.hist(values, edges, color="#56B4E9")
        if name != CONTRAST:
            count = len(values) * np.diff(expected.cdf(edges))
            style = ":" if key in survey.SELECTED else "-"
            axis.stairs(count, edges, color="black", linewidth=0.9, linestyle=style)
        if logarithmic:
            axis.set_xscale("log")
            axis.minorticks_off()
            ticks = [tick for tick in (0.03, 0.1, 0.3, 1, 3, 10, 25) if low <= tick <= high]
            axis.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        panel(axis, chr(ord("a") + place), f"n = {len(values)}")
        axis.set_xlabel(name)
    unused = axes.flat[len(names) :]
    for axis in unused:
        axis.set_axis_off()
    grid = axes[0, 0].get_gridspec()
    axis = figure.add_subplot(grid[3, len(names) % 4 :])
    for name, rows in spectra.groupby("group", sort=False):
        label, colour = GROUPS[name]
        axis.fill_between(rows["frequency"], rows["low"], rows["high"], color=colour, alpha=0.15, linewidth=0)
        axis.plot(rows["frequency"], rows["median"], color=colour, label=f"{label}, n = {rows['images'].iloc[0]}")
    axis.set_yscale("log")
    axis.set_xlabel("spatial frequency over Nyquist's")
    axis.set_ylabel("power over white noise's")
    axis.legend(frameon=False, fontsize=6)
    panel(axis, chr(ord("a") + len(names)), "radial spectra, median and central 80 % of images")
    return figure


def whitening_figure(panels: xr.Dataset, bar: float) -> Figure:
    """Draw an image and its whitening transforms, each from its first to its last percentile."""
    count = panels.sizes["panel"]
    figure, axes = plt.subplots(1, count, figsize=(WIDTH, WIDTH / count + 0.2))
    for place, (axis, name) in enumerate(zip(axes, panels.panel.values, strict=True)):
        image = panels.image.sel(panel=name).values
        low, high = np.percentile(image, [1, 99])
        axis.imshow(image, cmap="gray", vmin=low, vmax=high, interpolation="none")
        axis.set_axis_off()
        panel(axis, chr(ord("a") + place), str(name))
    scale_bar(axes[0], panels.attrs["pixel_size"], bar)
    return figure
