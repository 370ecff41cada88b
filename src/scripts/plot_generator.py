"""Draw what was drawn for clean images beside its ranges, and the images' spectra."""

from pathlib import Path

import pandas as pd

from emrestore.plot.clean import survey_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(draws: Path, spectra: Path, png: Path, pdf: Path, *, ranges: dict) -> None:
    """Draw histograms and radial spectra."""
    with style():
        save(survey_figure(pd.read_csv(draws), pd.read_csv(spectra), ranges), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
