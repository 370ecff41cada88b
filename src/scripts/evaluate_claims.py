"""Hold each claim of the papers against what was measured."""

import json
from pathlib import Path

import pandas as pd

from emrestore.claims import evaluate
from emrestore.workflow import run


def main(claims: Path, numbers: Path, verdicts: Path, *, rules: dict[str, str]) -> None:
    """Write one row per claim with its measured value, interval and status."""
    ledger = pd.read_csv(claims, sep="\t", dtype=str, keep_default_na=False)
    measured = json.loads(numbers.read_text(encoding="utf-8"))
    evaluate(ledger, measured, rules).to_csv(verdicts, index=False, float_format="%.9g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
