"""Draw what averaging leaves of the error of the dislocation's images, and what restored images have in common."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.averaging import bias_map, circle_about
from emrestore.pairs import expected_counts
from emrestore.plot.audit_averaging import averaging_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(
    pairs: Path,
    restored: Path,
    columns: Path,
    averaging: Path,
    frc: Path,
    png: Path,
    pdf: Path,
    *,
    field: str,
    chain: str,
) -> None:
    """Draw the lowest and the highest dose, with the core's columns circled."""
    recorded, cleaned = store.read(pairs), store.read(restored).counts.isel(thickness=0)
    pixel_size = recorded.attrs["pixel_size"]
    known = pd.read_csv(columns).iloc[recorded.cell_column.values]
    maps = {}
    for dose in (float(recorded.dose.min()), float(recorded.dose.max())):
        truth = expected_counts(recorded.clean.values[0], dose, pixel_size)
        maps[dose] = 100 / truth.max() * bias_map(cleaned.sel(dose=dose).values - truth)[0]
    curves, rings = (
        table[(table["specimen"] == field) & (table["sampling"] == chain)]
        for table in (pd.read_csv(averaging), pd.read_csv(frc))
    )
    curves = curves[(curves["quantity"] == "image") & (curves["region"] == "all")]
    circle = circle_about(recorded, np.flatnonzero(known["core"]))
    with style():
        save(averaging_figure(curves, rings, maps, circle, pixel_size), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
