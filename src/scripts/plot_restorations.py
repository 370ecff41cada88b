"""Draw examples: distorted, restored by each method, and undistorted."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd

from emrestore import store
from emrestore.plot.restorations import restorations_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(pairs: Path, restored: list[Path], table: Path, png: Path, pdf: Path, *, methods: list[str]) -> None:
    """Draw all examples; ``restored`` has a path for each method."""
    source = store.read(pairs)
    images = {"raw": source.counts.values}
    images |= {name: store.read(path).counts.values for name, path in zip(methods, restored, strict=True)}
    # fine enough for pixels of the images to come out alike
    with style(), mpl.rc_context({"savefig.dpi": 300}):
        save(restorations_figure(images, source.truth.values, pd.read_csv(table)), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
