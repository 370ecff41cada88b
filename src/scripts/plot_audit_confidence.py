"""Draw how well spreads over perturbed copies tell the true errors of columns."""

from pathlib import Path

import pandas as pd

from emrestore.plot.audit_confidence import confidence_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(confidence: Path, table: Path, png: Path, pdf: Path, *, tolerance: float) -> None:
    """Draw the figure."""
    with style():
        save(confidence_figure(pd.read_parquet(confidence), pd.read_csv(table), tolerance), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
