"""Measure how far networks change annotations and cropped borders, which restoration is to keep."""

from pathlib import Path

import pandas as pd

from emrestore.restore import FILTERS, open_method
from emrestore.train import comparison, data, experiment
from emrestore.workflow import run


def main(
    weights: list[Path],
    validation_shards: list[Path],
    scores: Path,
    *,
    runs: list[list],
    models: list[str],
    distortions: dict,
    chain: str,
    pairs: int,
    seed: int,
) -> None:
    """Write a row per experiment, network and seed; all pairs are annotated and cropped, but for empty draws.

    ``weights`` are those of ``models``, less filters, which have none.
    """
    always = {name: {"probability": 1} for name in ("annotations", "cropping")}
    right = comparison.changed(distortions, chain, always)
    known = experiment.draw(data.load(validation_shards), right, pairs, seed, "scores")
    regions = comparison.overlays(right, known.drawn, known.truth.shape[1:])
    paths, rows = iter(weights), []
    for (study, network, number), model in zip(runs, models, strict=True):
        method = open_method(model, "auto" if model in FILTERS else next(paths), precision="fp32")
        restored = method(known.distorted, lambda fraction: None)
        row = {"experiment": study, "network": network, "seed": number}
        rows.append(row | comparison.changes_of(restored, known.truth, regions))
    pd.DataFrame(rows).to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
