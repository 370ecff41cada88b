"""Collect the comparisons of sums of profiles with multislice images."""

from pathlib import Path

import pandas as pd

from emrestore.realism import power_of_z
from emrestore.workflow import run


def main(parts: list[Path], table: Path, powers: Path) -> None:
    """Write one row per crystal and thickness, and the power of Z that cross sections grow with at each thickness."""
    rows = pd.concat([pd.read_csv(part, dtype={"axis": str}) for part in parts])
    for path, found in ((table, rows), (powers, power_of_z(rows))):
        found.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
