"""Draw Fig. 11."""

from pathlib import Path

import matplotlib as mpl

from emrestore import store
from emrestore.plot.clean import whitening_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(image: Path, png: Path, pdf: Path) -> None:
    """Draw the clean image and its transforms side by side."""
    with style(), mpl.rc_context({"savefig.dpi": 300}):
        save(whitening_figure(store.read(image), bar=10), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
