"""Set our networks beside the published one in everything that was measured against a truth."""

from pathlib import Path

import pandas as pd

from emrestore.versus import verdicts, versus
from emrestore.workflow import run


def main(
    displaced: Path,
    realistic: Path,
    counts: Path,
    survival: Path,
    invented: Path,
    departures: Path,
    table: Path,
    summary: Path,
    *,
    tolerance: float,
) -> None:
    """Write a row per condition and method, and what becomes of them per specimen."""
    found = versus(*(pd.read_csv(path) for path in (displaced, realistic, counts, survival, invented, departures)))
    found.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")
    verdicts(found, tolerance).to_csv(summary, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
