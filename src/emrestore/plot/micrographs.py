"""Fig. 6: micrographs of each modality, raw above, restored below."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

WIDTH = 180 / 25.4
#: Panels side by side.
COLUMNS = 6
#: Percentiles of a panel that are black and white in it.
RANGE = (0.5, 99.5)
#: What each row shows.
ROWS = {"raw": "raw", "published": "published CGRDN", "trained": "our network", "truth": "undistorted"}


def micrographs_figure(images: Mapping[str, Mapping[tuple[str, str], np.ndarray]]) -> Figure:
    """Draw each micrograph above what networks restored from it, in blocks of :data:`COLUMNS`.

    Parameters
    ----------
    images
        ``raw``, networks and ``truth`` -> (modality, name of the micrograph or ``simulated``) -> (Y, X). What a network
        has not restored is left blank; a block has no row of what none of its micrographs has.
    """
    names = list(images["raw"])
    blocks = [names[first : first + COLUMNS] for first in range(0, len(names), COLUMNS)]
    rows = [[kind for kind in images if set(images[kind]) & set(shown)] for shown in blocks]
    heights = [len(kinds) * (WIDTH / COLUMNS - 0.09) + 0.3 for kinds in rows]
    figure = plt.figure(figsize=(WIDTH, sum(heights)))
    parts = np.atleast_1d(figure.subfigures(len(blocks), height_ratios=heights))
    for block, (part, shown, kinds) in enumerate(zip(parts, blocks, rows, strict=True)):
        axes = part.subplots(len(kinds), COLUMNS, squeeze=False, gridspec_kw={"hspace": 0.02, "wspace": 0.02})
        for axis in axes.flat:
            axis.set(xticks=[], yticks=[], frame_on=False)
        for row, kind in enumerate(kinds):
            axes[row, 0].set_ylabel(ROWS.get(kind, kind), fontsize=6.5)
            for axis, name in zip(axes[row], shown, strict=False):
                if name in images[kind]:
                    low, high = np.percentile(images[kind][name], RANGE)
                    axis.imshow(images[kind][name], cmap="gray", vmin=low, vmax=high, interpolation="none")
        for column, name in enumerate(shown):
            letter = chr(ord("a") + block * COLUMNS + column)
            axes[0, column].set_title(f"({letter}) {_title(*name)}", loc="left", fontsize=6.5)
    return figure


def _title(modality: str, name: str) -> str:
    """Say what a panel shows, and that it is simulated where it is."""
    words = f"{modality[:2].upper()}-{modality[2:].upper()}"
    return f"{words}, simulated" if name == "simulated" else f"{words}, real:\n{name.replace('_', ' ')}"
