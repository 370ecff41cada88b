"""Gather the scores of all benchmarked methods, image by image, and summarise them."""

from pathlib import Path

import pandas as pd

from emrestore.benchmarks import summary as summarise
from emrestore.workflow import run


def main(scores: list[Path], table: Path, summary: Path) -> None:
    """Write one row per image and method, and one per condition."""
    everything = pd.concat([pd.read_csv(path) for path in scores], ignore_index=True)
    for rows, path in ((everything, table), (summarise(everything), summary)):
        rows.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
