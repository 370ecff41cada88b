"""Draw Fig. 1, Table 1 and the loss ablation from the tables of experiments."""

from pathlib import Path

import pandas as pd

from emrestore.plot.experiments import experiments_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(networks: Path, ablation: Path, png: Path, pdf: Path) -> None:
    """Draw the figure."""
    with style():
        save(experiments_figure(pd.read_csv(networks), pd.read_csv(ablation)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
