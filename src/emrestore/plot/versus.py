"""Our networks beside the published one as a picture: every condition's ratio of distances from the truth."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from emrestore.plot.style import log_axis, panel

WIDTH = 180 / 25.4
#: Title of each row of panels, and of each column.
KINDS = {"accuracy": "errors", "honesty": "honesty"}
METHODS = {"strong": "ours, strong", "honest": "ours, honest"}
#: What some quantities are called in the figure.
NAMES = {"scs": "cross section", "phantoms": "false columns"}
#: Ratios beyond these, without limit where the published distance is zero, are drawn at the border.
SHOWN = (0.1, 10.0)


def versus_figure(table: pd.DataFrame, tolerance: float) -> Figure:
    """Draw a line for each specimen and quantity, a symbol for each condition.

    Parameters
    ----------
    table
        Of :func:`emrestore.versus.versus`.
    tolerance
        Share by which errors of ours may be larger, shaded.
    """
    known = table[table["ratio"].notna()].assign(
        name=lambda rows: rows["specimen"].str.replace("_", ", ") + ": " + rows["quantity"].replace(NAMES)
    )
    names = {kind: list(dict.fromkeys(known.loc[known["kind"] == kind, "name"])) for kind in KINDS}
    heights = [len(names[kind]) + 2 for kind in KINDS]
    figure, axes = plt.subplots(
        len(KINDS),
        len(METHODS),
        figsize=(WIDTH, 0.16 * sum(heights) + 0.6),
        sharey="row",
        sharex=True,
        height_ratios=heights,
    )
    colours = LogNorm(known["dose"].min(), known["dose"].max())
    drawn = None
    for (row, kind), (place, method) in ((row, place) for row in enumerate(KINDS) for place in enumerate(METHODS)):
        axis = axes[row, place]
        some = known[(known["kind"] == kind) & (known["method"] == method)]
        y = np.array([names[kind].index(name) for name in some["name"]], dtype=float)
        # symbols of one line beside each other, in the order of their dose
        rank = some.groupby("name")["dose"].rank(method="first")
        y += 0.6 * ((rank - 0.5) / some.groupby("name")["dose"].transform("size") - 0.5).to_numpy()
        ratio = some["ratio"].clip(*SHOWN).to_numpy()
        # larger where the interval of the difference lies on one side of zero
        sizes = np.where(some["difference_low"] * some["difference_high"] > 0, 11, 3)
        drawn = axis.scatter(ratio, y, c=some["dose"], s=sizes, norm=colours, cmap="viridis", zorder=3, clip_on=False)
        if kind == "accuracy":
            axis.axvspan(1, 1 + tolerance, color="0.93", zorder=0)
        axis.axvline(1, color="black", linewidth=0.6)
        axis.set(xscale="log", xlim=SHOWN, yticks=range(len(names[kind])), ylim=(len(names[kind]) - 0.4, -0.6))
        axis.set_yticklabels(names[kind])
        panel(axis, "abcd"[row * len(METHODS) + place], f"{KINDS[kind]}: {METHODS[method]}")
        if row == len(KINDS) - 1:
            axis.set_xlabel("distance from the truth, ours / published")
            log_axis(axis.xaxis)
    figure.colorbar(drawn, ax=axes, label="dose [e/Å²]", shrink=0.5)
    return figure
