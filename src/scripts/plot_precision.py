"""Draw Fig. 3."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.plot.precision import precision_figure
from emrestore.plot.style import dose_text, save, style
from emrestore.workflow import run


def main(
    table: Path,
    pairs: list[Path],
    restored: list[Path],
    png: Path,
    pdf: Path,
    *,
    pixel_sizes: dict[str, float],
) -> None:
    """Draw panels from the table, and the first realisation at both extremes from the stored images."""
    noisy, clean = store.read(pairs[0]), store.read(restored[0])
    size = noisy.attrs["pixel_size"]
    images = []
    for dose, thickness in (
        (noisy.dose.min(), noisy.thickness.min()),
        (noisy.dose.max(), noisy.thickness.max()),
    ):
        for name, source in (("raw", noisy), ("restored", clean)):
            image = source.counts.sel(dose=dose, thickness=thickness).isel(realisation=0).values
            title = f"{name}, {int(thickness)} cells, {dose_text(float(dose))}"
            images.append({"image": image, "title": title, "pixel_size": size})
    with style():
        save(precision_figure(pd.read_csv(table), pixel_sizes, images), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
