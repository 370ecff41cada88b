"""Draw the page of theory and measurement."""

from pathlib import Path

import pandas as pd

from emrestore.plot.style import save, style
from emrestore.plot.theory import theory_page
from emrestore.workflow import run


def main(table: Path, png: Path, pdf: Path) -> None:
    """Draw from the table alone."""
    with style():
        save(theory_page(pd.read_csv(table)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
