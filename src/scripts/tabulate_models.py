"""Tabulate the networks that ship, and those that they began with: what each saw, how long, and what it reached."""

from pathlib import Path

from emrestore.train.report import model_table
from emrestore.workflow import run


def main(records: list[Path], histories: list[Path], table: Path) -> None:
    """Write a row per training run, from its record and its history."""
    model_table(records, histories).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
