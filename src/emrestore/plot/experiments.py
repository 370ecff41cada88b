"""Fig. 1 and Table 1 as a picture: depth, quality against cost, and what each term of the loss does."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from emrestore.plot.style import panel

WIDTH = 180 / 25.4
#: Label and colour of each network.
NETWORKS = {
    "compact": ("compact", "#009E73"),
    "mrunet": ("MR-UNET", "#CC79A7"),
    "nafnet": ("NAFNet", "#56B4E9"),
    "grdn": ("GRDN", "#E69F00"),
    "cgrdn": ("CGRDN", "#D55E00"),
    "published": ("CGRDN, published", "#0072B2"),
    "bm3d": ("BM3D", "black"),
}


def experiments_figure(table: pd.DataFrame, ablation: pd.DataFrame) -> Figure:
    """Draw the tables of the experiments.

    Parameters
    ----------
    table
        Of :func:`emrestore.train.report.network_table`.
    ablation
        Of :func:`emrestore.train.report.ablation_table`.
    """
    figure, axes = plt.subplots(2, 2, figsize=(WIDTH, 0.75 * WIDTH))
    _depths(axes[0, 0], table)
    _costs(axes[0, 1], table)
    for axis, score, label, letter in (
        (axes[1, 0], "psnr", "PSNR less that of the whole loss [dB]", "c"),
        (axes[1, 1], "position_rmse", "position RMSE less that of the whole loss [pm]", "d"),
    ):
        y = np.arange(len(ablation))
        error = [ablation[score] - ablation[f"{score}_low"], ablation[f"{score}_high"] - ablation[score]]
        axis.errorbar(ablation[score], y, xerr=error, fmt="o", color="black", elinewidth=0.7)
        axis.axvline(0, color="black", linewidth=0.6)
        axis.set_yticks(y, [name.replace("_", " ") for name in ablation["change"]])
        axis.set_xlabel(label)
        panel(axis, letter)
    return figure


def _depths(axis, table: pd.DataFrame) -> None:
    """Draw L1 against the depth of an RDB, counted as the paper does: convolutions and their fusion."""
    rows = table[
        (table["experiment"] == "depths") | ((table["network"] == "cgrdn") & (table["experiment"] == "networks"))
    ]
    # the last is the network of the table itself, one deeper than the deepest of the series
    depth = rows["network"].str.extract(r"_(\d+)$")[0].astype(float)
    depth = depth.fillna(depth.max() + 1) + 1
    order = np.argsort(depth.to_numpy())
    x, rows = depth.to_numpy()[order], rows.iloc[order]
    error = [rows["l1"] - rows["l1_low"], rows["l1_high"] - rows["l1"]]
    axis.errorbar(x, rows["l1"], error, marker="o", color=NETWORKS["cgrdn"][1], elinewidth=0.7)
    axis.set(xlabel="layers of an RDB", ylabel="L1 over the clean maximum")
    panel(axis, "a", "CGRDN")


def _costs(axis, table: pd.DataFrame) -> None:
    """Draw PSNR against multiply-adds per pixel."""
    rows = table[table["experiment"].isin(["networks", "others"]) & table["multiply_adds"].notna()]
    for row in rows.itertuples():
        label, colour = NETWORKS.get(row.network, (row.network, "black"))
        error = None if np.isnan(row.psnr_low) else [[row.psnr - row.psnr_low], [row.psnr_high - row.psnr]]
        axis.errorbar(row.multiply_adds / 1e3, row.psnr, error, fmt="o", color=colour, label=label, elinewidth=0.7)
    for row in table[(table["experiment"] == "others") & table["multiply_adds"].isna()].itertuples():
        label, colour = NETWORKS.get(row.network, (row.network, "black"))
        axis.axhline(row.psnr, color=colour, linewidth=0.7, linestyle="--", label=label)
    axis.axhline(table["raw_psnr"].iloc[0], color="black", linewidth=0.7, linestyle=":", label="raw")
    axis.set(xscale="log", xlabel="thousand multiply-adds per pixel", ylabel="PSNR [dB]")
    axis.legend(frameon=False, fontsize=6)
    panel(axis, "b", "validation pairs")
