"""Draw what a network's belief in a lattice buys and costs."""

from pathlib import Path

import pandas as pd

from emrestore.plot.priors import priors_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path) -> None:
    """Draw the figure."""
    with style():
        save(priors_figure(pd.read_csv(table)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
