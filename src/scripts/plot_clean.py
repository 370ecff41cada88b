"""Draw 8 x 8 clean images with their recipes."""

from pathlib import Path

import matplotlib as mpl

from emrestore.image import shard
from emrestore.plot.clean import images_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(shard_file: Path, png: Path, pdf: Path) -> None:
    """Draw the first images of a shard."""
    with style(), mpl.rc_context({"savefig.dpi": 300}):
        save(images_figure(shard.read(shard_file)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
