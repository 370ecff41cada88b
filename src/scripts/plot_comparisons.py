"""Draw Fig. 7 from the kept panels and the table of scores."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.plot.distortions_learned import distortions_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(panels: Path, scores: Path, png: Path, pdf: Path, *, right: str) -> None:
    """Draw the figure."""
    with style():
        save(distortions_figure(store.read(panels), pd.read_csv(scores), right), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
