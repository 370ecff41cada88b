"""Tables of experiments with networks: means over seeds, and what leaving a term of the loss out changes."""

import numpy as np
import pandas as pd

from emrestore.stats import mean_interval

#: What is averaged over seeds.
SCORES = ["psnr", "ssim", "l1", "position_rmse", "slope", "scs_bias"]
#: What a network costs, the same for all seeds but for the timing.
COSTS = ["parameters", "multiply_adds", "seconds", "training_seconds", "crops"]


def network_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Tabulate every network of every experiment: scores with intervals over seeds, and costs.

    Parameters
    ----------
    scores
        ``models/experiments/scores.csv``: a row per experiment, network and seed.

    Returns
    -------
    DataFrame
        ``experiment, network, seeds``; of each score its mean, ``_low`` and ``_high``; costs; and ``raw_psnr, raw_ssim,
        raw_l1`` of the distorted images.
    """
    rows = []
    for (experiment, network), group in scores.groupby(["experiment", "network"], sort=False):
        row = {"experiment": experiment, "network": network, "seeds": len(group)}
        for name in SCORES:
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), mean_interval(group[name].to_numpy()), strict=True))
        row |= {name: group[name].mean() for name in [*COSTS, "raw_psnr", "raw_ssim", "raw_l1"]}
        rows.append(row)
    return pd.DataFrame(rows)


def ablation_table(scores: pd.DataFrame, network: str) -> pd.DataFrame:
    """Tabulate what each change of the loss changes: paired differences from the whole loss, seed by seed.

    Parameters
    ----------
    scores
        As for :func:`network_table`.
    network
        The network of the experiment ``networks`` that was trained with the whole loss.

    Returns
    -------
    DataFrame
        ``change`` and, of each score, the mean difference with ``_low`` and ``_high``.
    """
    whole = scores[(scores["experiment"] == "networks") & (scores["network"] == network)].set_index("seed")
    rows = []
    for change, group in scores[scores["experiment"] == "ablation"].groupby("network", sort=False):
        difference = (group.set_index("seed")[SCORES] - whole[SCORES]).dropna()
        row = {"change": change, "seeds": len(difference)}
        for name in SCORES:
            ends = mean_interval(difference[name].to_numpy()) if len(difference) else (np.nan,) * 3
            row |= dict(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)
