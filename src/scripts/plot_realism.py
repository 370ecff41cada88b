"""Draw sums of profiles beside multislice images, and how far they agree."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.plot.realism import realism_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(table: Path, powers: Path, pictures: list[Path], png: Path, pdf: Path) -> None:
    """Draw from the tables and the stored pictures alone."""
    with style():
        rows = pd.read_csv(table, dtype={"axis": str})
        drawn = realism_figure(rows, pd.read_csv(powers), [store.read(path) for path in pictures])
        save(drawn, png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
