"""Judge one network for high and low resolution, and one for each, on pairs of both, at low and high doses."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.distort.chain import build
from emrestore.metrics import image_scores
from emrestore.restore import Identity, open_method
from emrestore.train import data, experiment
from emrestore.workflow import run


def main(
    weights: list[Path],
    hrstem: list[Path],
    lrstem: list[Path],
    scores: Path,
    *,
    runs: list[list],
    models: list[str],
    distortions: dict,
    chain: str,
    pairs: int,
    seed: int,
) -> None:
    """Write a row per modality of the images, half of the doses, network and seed.

    ``runs`` are network and seed of each file of weights. Doses are halved at the median of a modality's pairs.
    """
    methods = {("raw", 0): Identity()}
    for made, model, path in zip(runs, models, weights, strict=True):
        methods[tuple(made)] = open_method(model, path, precision="fp32")
    rows = []
    for modality, shards in (("hrstem", hrstem), ("lrstem", lrstem)):
        known = experiment.draw(data.load(shards), build(distortions, chain), pairs, seed, "scores")
        median = float(np.median(known.dose))
        for (network, number), method in methods.items():
            restored = method(known.distorted, lambda fraction: None)
            for dose, half in (("low", known.dose <= median), ("high", known.dose > median)):
                row = {"modality": modality, "dose": dose, "network": network, "seed": number}
                row |= {"median_dose": median, "pairs": int(half.sum())}
                rows.append(row | image_scores(restored[half], known.truth[half]))
    pd.DataFrame(rows).to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
