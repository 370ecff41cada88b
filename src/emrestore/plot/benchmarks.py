"""Benchmarks as a picture: gain in PSNR per modality and method, and quality against cost."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import METHODS, log_axis, panel

WIDTH = 180 / 25.4
#: Label, colour and marker of each method.
LOOKS = {
    "raw": ("raw", *METHODS["raw_ls"][1:]),
    "bm3d": METHODS["bm3d_ls"],
    "published": ("published CGRDN", *METHODS["published_ls"][1:]),
    "trained": ("ours", "#CC79A7", "v"),
}
MODALITIES = {
    "hrstem": "HR-STEM", "lrstem": "LR-STEM", "hrsem": "HR-SEM", "lrsem": "LR-SEM", "hrtem": "HR-TEM", "lrtem": "LR-TEM"
}  # fmt: skip


def benchmarks_figure(summary: pd.DataFrame, costs: pd.DataFrame, modality: str) -> Figure:
    """Draw the benchmarks.

    Parameters
    ----------
    summary
        Of :func:`emrestore.benchmarks.summary`.
    costs
        ``method, multiply_adds, seconds``.
    modality
        Whose networks the costs are of.
    """
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 0.72 * WIDTH))
    _gains(axes[0, 0], summary, {"validation": True})
    panel(axes[0, 0], "a", "our pairs")
    _gains(axes[0, 1], summary, {"development": False, "release": True})
    panel(axes[0, 1], "b", "the authors' pairs: development (open), release (filled)")
    own = summary[(summary["set"] == "own") & (summary["modality"] == modality)].set_index("method")
    for axis, cost, label, letter in (
        (axes[1, 0], "multiply_adds", "multiply-adds per pixel [thousand]", "c"),
        (axes[1, 1], "seconds", "restoring 256 × 256 pixels [s]", "d"),
    ):
        values = costs.set_index("method")[cost].dropna() / (1000 if cost == "multiply_adds" else 1)
        for method in own.index:
            label_, colour, marker = LOOKS[method]
            row = own.loc[method]
            if method in values:
                error = [[row["psnr"] - row["psnr_low"]], [row["psnr_high"] - row["psnr"]]]
                axis.errorbar(
                    values[method], row["psnr"], error, fmt=marker, color=colour, label=label_, elinewidth=0.7
                )
            else:
                axis.axhline(row["psnr"], color=colour, linewidth=0.8, linestyle=":", label=label_)
        axis.set(xscale="log", xlabel=label, ylabel="PSNR [dB]")
        log_axis(axis.xaxis)
        axis.margins(x=0.3)
        axis.legend(frameon=False)
        panel(axis, letter, f"our {MODALITIES[modality]} pairs")
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
    axis.set_ylabel("gain in PSNR over raw [dB]")
    axis.legend(frameon=False)
