"""Tabulate the series of displaced columns."""

from pathlib import Path

import pandas as pd

from emrestore.metrics import displacement_table
from emrestore.workflow import run


def main(scores: list[Path], bounds: list[Path], table: Path, *, specimens: list[str], samplings: list[str]) -> None:
    """Write one row per specimen x sampling x thickness x dose x method; ``bounds`` by specimen, then sampling."""
    tables = []
    for place, specimen in enumerate(specimens):
        mine = bounds[place * len(samplings) : (place + 1) * len(samplings)]
        limits = pd.concat(
            [pd.read_parquet(path).assign(sampling=name) for path, name in zip(mine, samplings, strict=True)]
        )
        rows = displacement_table(pd.read_parquet(scores[place]), limits)
        rows.insert(0, "specimen", specimen)
        tables.append(rows)
    pd.concat(tables).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
