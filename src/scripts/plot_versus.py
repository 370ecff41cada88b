"""Draw our networks beside the published one."""

from pathlib import Path

import pandas as pd

from emrestore.plot.style import save, style
from emrestore.plot.versus import versus_figure
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path, *, tolerance: float) -> None:
    """Draw the figure."""
    with style():
        save(versus_figure(pd.read_csv(table), tolerance), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
