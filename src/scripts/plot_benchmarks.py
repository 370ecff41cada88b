"""Draw benchmarks: gain in PSNR per modality and method, and quality against cost."""

from pathlib import Path

import pandas as pd

from emrestore.plot.benchmarks import benchmarks_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(summary: Path, costs: Path, png: Path, pdf: Path, *, modality: str) -> None:
    """Draw the figure; ``modality`` is that of the costs."""
    with style():
        save(benchmarks_figure(pd.read_csv(summary), pd.read_csv(costs), modality), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
