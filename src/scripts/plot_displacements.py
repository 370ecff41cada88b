"""Draw what restoration keeps of true column displacements."""

from pathlib import Path

import pandas as pd

from emrestore.plot.precision import displacement_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path, *, pixel_sizes: dict[str, float], displacements: dict[str, float]) -> None:
    """Draw from the table of displaced columns."""
    with style():
        save(displacement_figure(pd.read_csv(table), pixel_sizes, displacements), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
