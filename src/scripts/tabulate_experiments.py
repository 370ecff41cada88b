"""Tabulate the kept scores of experiments with networks (Fig. 1, Table 1, loss ablation)."""

from pathlib import Path

import pandas as pd

from emrestore.train.report import ablation_table, network_table
from emrestore.workflow import run


def main(scores: Path, networks: Path, ablation: Path, *, network: str) -> None:
    """Write both tables."""
    measured = pd.read_csv(scores)
    for table, path in ((network_table(measured), networks), (ablation_table(measured, network), ablation)):
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
