"""Fig. 7: what networks make of distorted images when they learned a wrong or the right model of the distortions."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from emrestore.plot.style import panel, scale_bar

WIDTH = 180 / 25.4
#: Percentiles of the undistorted image that are black and white in all panels of its column.
RANGE = (0.5, 99.5)
#: Length of the scale bars is the one of these [Å] that is nearest to a quarter of the panel.
BARS = np.array([2, 5, 10, 20, 50])
#: Label, colour and marker of what the points are of.
KINDS = {
    "raw": ("distorted", "#0072B2", "o"),
    "wrong": ("wrong model learned", "#D55E00", "^"),
    "right": ("right model learned", "#009E73", "s"),
    "truth": ("undistorted", "#000000", ""),
}
#: Conditions in words.
CONDITIONS = {
    "dwell_200_ns": "dwell time 0.2 µs",
    "dwell_50_ns": "dwell time 0.05 µs",
    "interpolated": "interpolated",
    "jittered": "strong jitter along y",
    "noisy_detector": "noisy detector",
}
SCORES = {
    "psnr": "PSNR [dB]",
    "position_rmse": "position RMSE [pm]",
    "lag": "lag along x [px]",
    "jitter_y": "row jitter along y [px]",
}


def distortions_figure(panels: xr.Dataset, scores: pd.DataFrame, right: str) -> Figure:
    """Draw a column of images for each condition, and the scores of all of them below.

    Parameters
    ----------
    panels
        ``image`` (condition, kind, y, x) of the kinds :data:`KINDS`, ``psnr`` (condition, restored) [dB],
        ``pixel_size`` [Å], ``dose`` [electrons per pixel] and ``shows``, the chain that the wrong network learned.
    scores
        Of :func:`emrestore.train.report.distortion_table`.
    right
        The right chain.
    """
    conditions = [str(name) for name in panels.condition.values]
    kinds = [str(kind) for kind in panels.kind.values]
    edge = WIDTH / len(conditions)
    figure = plt.figure(figsize=(WIDTH, len(kinds) * (edge + 0.15) + 2.4))
    above, below = figure.subfigures(2, 1, height_ratios=[len(kinds) * (edge + 0.15), 2.4])
    axes = above.subplots(len(kinds), len(conditions), squeeze=False)
    for column, condition in enumerate(conditions):
        known = panels.isel(condition=column)
        _images(axes[:, column], known, kinds, column, len(conditions))
        shown = CONDITIONS.get(condition, condition.replace("_", " "))
        axes[0, column].set_title(f"{shown}\n{axes[0, column].get_title('left')}", loc="left", fontsize=6.5)
    for row, kind in enumerate(kinds):
        axes[row, 0].set_ylabel(KINDS[kind][0], fontsize=6.5)
    letters = iter("abcdefghijklmnopqrstuvwxyz"[len(kinds) * len(conditions) :])
    shows = dict(zip(conditions, panels.shows.values.tolist(), strict=True))
    for axis, (score, label) in zip(below.subplots(1, len(SCORES)), SCORES.items(), strict=True):
        _points(axis, scores, score, shows, right)
        axis.set_xlabel(label)
        panel(axis, next(letters))
        if score != "psnr":
            axis.set_yticklabels([])
    below.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
    return figure


def _images(axes, known: xr.Dataset, kinds: list[str], column: int, columns: int) -> None:
    """Draw one condition's panels on one grey scale."""
    low, high = np.percentile(known.image.sel(kind="truth").values.astype(float), RANGE)
    for row, (axis, kind) in enumerate(zip(axes, kinds, strict=True)):
        axis.imshow(
            known.image.sel(kind=kind).values.astype(float), cmap="gray", vmin=low, vmax=high, interpolation="none"
        )
        axis.set(xticks=[], yticks=[], frame_on=False)
        restored = kind in known.restored.values
        quality = f"{float(known.psnr.sel(restored=kind)):.1f} dB" if restored else f"{float(known.dose):.3g} e/px"
        axis.set_title(f"({chr(ord('a') + row * columns + column)}) {quality}", loc="left", fontsize=6.5)
    pixel_size = float(known.pixel_size)
    quarter = known.sizes["x"] * pixel_size / 4
    scale_bar(axes[0], pixel_size, float(BARS[np.abs(np.log(BARS / quarter)).argmin()]))
    for artist, width in ((axes[0].lines[-1], 3.4), (axes[0].texts[-1], 1.2)):
        artist.set_path_effects([withStroke(linewidth=width, foreground="black")])


def _points(axis, scores: pd.DataFrame, score: str, shows: dict[str, str], right: str) -> None:
    """Draw a score of raw images, and of both networks, condition by condition."""
    known = scores.set_index(["condition", "network"])
    for offset, (kind, (label, colour, marker)) in zip((-0.2, 0, 0.2), KINDS.items(), strict=False):
        networks = [{"raw": "raw", "wrong": wrong, "right": right}[kind] for wrong in shows.values()]
        rows = known.loc[list(zip(shows, networks, strict=True))]
        value = rows[score].to_numpy()
        error = np.nan_to_num([value - rows[f"{score}_low"], rows[f"{score}_high"] - value])
        y = np.arange(len(shows)) + offset
        axis.errorbar(
            value, y, xerr=error, fmt=marker, color=colour, label=label, elinewidth=0.7, markersize=4, linestyle="none"
        )
    axis.set_yticks(np.arange(len(shows)), [CONDITIONS.get(name, name.replace("_", " ")) for name in shows])
    axis.set_ylim(len(shows) - 0.5, -0.5)
    if score == "lag":
        axis.axvline(0, color="black", linewidth=0.6)
