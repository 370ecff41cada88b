"""Draw bias and RMSE of the bulk series."""

from pathlib import Path

import pandas as pd

from emrestore.plot.precision import bias_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path, *, pixel_sizes: dict[str, float]) -> None:
    """Draw from the table of Fig. 3."""
    with style():
        save(bias_figure(pd.read_csv(table), pixel_sizes), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
