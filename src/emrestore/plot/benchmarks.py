"""Benchmarks as a picture: gain in PSNR per modality and method, and quality against cost."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import METHODS, log_axis, panel

WIDTH = 180 / 25.4
GAIN = "gain in PSNR over raw [dB]"
#: Label, colour and marker of each method.
LOOKS = {
    "bm3d": METHODS["bm3d_ls"],
    "published": ("published CGRDN", *METHODS["published_ls"][1:]),
    "trained": ("ours", "#CC79A7", "v"),
}
MODALITIES = {
    "hrstem": "HR-STEM", "lrstem": "LR-STEM", "hrsem": "HR-SEM", "lrsem": "LR-SEM", "hrtem": "HR-TEM", "lrtem": "LR-TEM"
}  # fmt: skip


def benchmarks_figure(summary: pd.DataFrame, costs: pd.DataFrame, modality: str) -> Figure:
    """Draw gains per modality, and those of one modality against what they cost.

    Parameters
    ----------
    summary
        Of :func:`emrestore.benchmarks.summary`.
    costs
        ``method, multiply_adds, seconds``.
    modality
        Whose networks the costs are of.
    """
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 0.75 * WIDTH))
    _gains(axes[0, 0], summary, {"validation": True})
    panel(axes[0, 0], "a", "our pairs")
    _gains(axes[0, 1], summary, {"development": False, "release": True})
    panel(axes[0, 1], "b", "the authors' pairs (open: development)")
    for axis, cost, label, letter in (
        (axes[1, 0], "multiply_adds", "multiply-adds per pixel", "c"),
        (axes[1, 1], "seconds", "restoring 256 × 256 pixels [s]", "d"),
    ):
        _against(axis, summary[summary["modality"] == modality], costs.set_index("method")[cost].dropna())
        axis.set(xscale="log", xlabel=label, ylabel=GAIN)
        axis.margins(x=0.3)
        if cost == "seconds":
            log_axis(axis.xaxis)
        panel(axis, letter, f"{MODALITIES[modality]}: our pairs (open: all of the authors')")
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=len(LOOKS), frameon=False)
    return figure


def _gains(axis, summary: pd.DataFrame, splits: dict[str, bool]) -> None:
    """Draw the gain in PSNR over raw images per modality, methods and splits side by side; splits open or filled."""
    rows = summary[summary["split"].isin(list(splits)) & (summary["method"] != "raw")]
    places = [name for name in MODALITIES if name in set(rows["modality"])]
    methods = list(rows["method"].unique())
    series = [(method, split) for method in methods for split in splits]
    for offset, (method, split) in zip((np.arange(len(series)) + 0.5) / len(series) - 0.5, series, strict=True):
        some = rows[(rows["method"] == method) & (rows["split"] == split)].set_index("modality")
        some = some.loc[[name for name in places if name in some.index]]
        label, colour, marker = LOOKS[method]
        gain = some["psnr_over_raw"]
        axis.errorbar(
            [places.index(name) + 0.7 * offset for name in some.index],
            gain,
            [gain - some["psnr_over_raw_low"], some["psnr_over_raw_high"] - gain],
            fmt=marker,
            color=colour,
            markerfacecolor=colour if splits[split] else "white",
            label=label if splits[split] else None,
            elinewidth=0.7,
        )
    axis.axhline(0, color="black", linewidth=0.6)
    axis.set_xticks(range(len(places)), [MODALITIES[name] for name in places])
    axis.set_ylabel(GAIN)


def _against(axis, summary: pd.DataFrame, costs: pd.Series) -> None:
    """Draw the gain in PSNR over raw images against what a method costs, as a line across where that is not known."""
    for split, filled, aside in (("validation", True, 0.95), ("all", False, 1.05)):
        for row in summary[(summary["split"] == split) & (summary["method"] != "raw")].itertuples():
            _, colour, marker = LOOKS[row.method]
            gain = row.psnr_over_raw
            if row.method in costs:
                axis.errorbar(
                    aside * costs[row.method],
                    gain,
                    [[gain - row.psnr_over_raw_low], [row.psnr_over_raw_high - gain]],
                    fmt=marker,
                    color=colour,
                    markerfacecolor=colour if filled else "white",
                    elinewidth=0.7,
                )
            else:
                axis.axhline(gain, color=colour, linewidth=0.8, linestyle=":" if filled else (0, (1, 4)))
