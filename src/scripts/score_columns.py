"""Compare every fitted column with the fit of its clean image: one row per column, nothing averaged."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.metrics import column_errors
from emrestore.workflow import run


def main(
    pairs: list[Path],
    truths: list[Path],
    fits: list[Path],
    scores: Path,
    *,
    samplings: list[str],
    methods: list[str],
    border: float,
) -> None:
    """Write rows of all samplings and methods; ``fits`` is ordered by sampling, then by method."""
    rows = []
    for place, sampling in enumerate(samplings):
        geometry = store.read(pairs[place])
        truth = pd.read_parquet(truths[place])
        for number, method in enumerate(methods):
            table = pd.read_parquet(fits[place * len(methods) + number])
            errors = column_errors(table, truth, geometry, border)
            errors.insert(0, "sampling", sampling)
            errors.insert(1, "method", method + "_" + errors.pop("estimator"))
            rows.append(errors)
    pd.concat(rows, ignore_index=True).to_parquet(scores, index=False)


if "snakemake" in globals():
    run(main, snakemake)
