"""Fig. 2: simulated specimens distorted, restored and undistorted."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from emrestore.plot.style import METHODS, scale_bar, short_label

WIDTH = 180 / 25.4
#: Percentiles of the undistorted image that are black and white in all panels of its row.
RANGE = (0.5, 99.5)
#: Length of the scale bars [Å].
BAR = 10


def restorations_figure(images: Mapping[str, np.ndarray], truth: np.ndarray, scores: pd.DataFrame) -> Figure:
    """Draw a row for each specimen: distorted, restored by each method, undistorted, on one grey scale.

    Parameters
    ----------
    images
        Method, ``raw`` for the distorted images -> (specimens, Y, X), in the order of the panels.
    truth
        (specimens, Y, X) undistorted images.
    scores
        A row for each specimen, in the order of the images, and method: ``specimen``, ``method``, ``psnr`` [dB],
        ``pixel_size`` [Å], ``dose`` [e/px].
    """
    shown = [*images.items(), ("truth", truth)]
    rows, columns = len(truth), len(shown)
    edge = WIDTH / columns
    figure, axes = plt.subplots(rows, columns, figsize=(WIDTH, rows * (edge + 0.2)), squeeze=False)
    for place, (specimen, known) in enumerate(scores.groupby("specimen", sort=False)):
        known = known.set_index("method")
        low, high = np.percentile(truth[place], RANGE)
        pixel_size, dose = known.iloc[0][["pixel_size", "dose"]].astype(float)
        for column, (method, stack) in enumerate(shown):
            axis = axes[place, column]
            axis.imshow(stack[place], cmap="gray", vmin=low, vmax=high, interpolation="none")
            axis.set(xticks=[], yticks=[], frame_on=False)
            title = _name(method) + (f"\n{known.loc[method, 'psnr']:.1f} dB" if method in known.index else "\n")
            letter = chr(ord("a") + place * columns + column)
            axis.set_title(f"({letter}) {title}", loc="left", fontsize=6.5)
        first = axes[place, 0]
        first.set_ylabel(f"image {specimen}: {pixel_size:.3f} Å/px, {dose:.3g} e/px", fontsize=6.5)
        scale_bar(first, pixel_size, BAR)
        for artist, width in ((first.lines[-1], 3.4), (first.texts[-1], 1.2)):
            artist.set_path_effects([withStroke(linewidth=width, foreground="black")])
    return figure


def _name(method: str) -> str:
    """Give a method's name, without the way in which its columns are fitted."""
    if method in (known := {"raw": "distorted", "truth": "undistorted"}):
        return known[method]
    return short_label(f"{method}_ls") if f"{method}_ls" in METHODS else method
