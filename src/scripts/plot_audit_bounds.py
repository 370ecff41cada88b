"""Draw errors on Gaussian columns against the bounds that hold for them."""

from pathlib import Path

import pandas as pd

from emrestore.plot.audit_bounds import bounds_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path) -> None:
    """Draw from the table of bounds."""
    with style():
        save(bounds_figure(pd.read_csv(table)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
