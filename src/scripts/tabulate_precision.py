"""Tabulate the precision of the bulk series (Fig. 3)."""

from pathlib import Path

import pandas as pd

from emrestore.metrics import precision_table
from emrestore.workflow import run


def main(scores: Path, bounds: list[Path], table: Path, *, samplings: list[str]) -> None:
    """Write one row per sampling x thickness x dose x method x quantity."""
    limits = pd.concat(
        [pd.read_parquet(path).assign(sampling=name) for path, name in zip(bounds, samplings, strict=True)]
    )
    rows = precision_table(pd.read_parquet(scores), limits)
    rows.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
