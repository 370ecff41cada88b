"""Benchmarks of restoration methods: what scores of single images say of a method, and of one beside another."""

import numpy as np
import pandas as pd

from emrestore.stats import mean_interval

#: What is summarised apart.
CONDITION = ["set", "split", "modality", "method"]
SCORES = ["psnr", "ssim", "l1"]
#: Methods that all others are compared with, image by image.
REFERENCES = ["raw", "published"]


def summary(scores: pd.DataFrame) -> pd.DataFrame:
    """Summarise scores over the images of each condition.

    Parameters
    ----------
    scores
        A row per image: :data:`CONDITION`, ``image`` and :data:`SCORES`, which are NaN where a pair is left out.

    Returns
    -------
    DataFrame
        :data:`CONDITION`; ``images`` and ``left_out``, the numbers of those scored and not; of each score its mean with
        ``_low`` and ``_high``, 95 % intervals by Student's t over images; and ``_over_raw`` and ``_over_published``
        with theirs: the mean difference from that method on the images that both have, NaN of the method itself.
        Beside the splits, the split ``all`` has all of the authors' pairs, those for development among them, as targets
        that others have measured do.
    """
    scores = pd.concat([scores, scores[scores["set"] == "authors"].assign(split="all")])
    groups = {condition: rows.set_index("image")[SCORES] for condition, rows in scores.groupby(CONDITION, sort=False)}
    rows = []
    for condition, group in groups.items():
        scored = group.dropna()
        row = dict(zip(CONDITION, condition, strict=True))
        row |= {"images": len(scored), "left_out": len(group) - len(scored)}
        compared = {"": scored}
        for reference in REFERENCES:
            other = groups.get((*condition[:-1], reference))
            same = other is None or reference == condition[-1]
            compared[f"_over_{reference}"] = (scored[:0] if same else scored - other).dropna()
        for ending, values in compared.items():
            for name in SCORES:
                ends = mean_interval(values[name].to_numpy()) if len(values) else (np.nan,) * 3
                keys = (f"{name}{ending}{end}" for end in ("", "_low", "_high"))
                row |= dict(zip(keys, ends, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)
