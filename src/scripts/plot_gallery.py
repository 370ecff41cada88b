"""Draw panels of a gallery."""

from pathlib import Path

import matplotlib as mpl

from emrestore import store
from emrestore.plot.gallery import gallery_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(gallery: Path, png: Path, pdf: Path, *, panels: list[str], columns: int) -> None:
    """Draw the named panels; all of them where none is named."""
    dataset = store.read(gallery)
    # fine enough for pixels of the images to come out alike
    with style(), mpl.rc_context({"savefig.dpi": 300}):
        save(gallery_figure(dataset, panels or list(dataset.panel.values), columns), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
