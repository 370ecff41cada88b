"""Draw what restoration does to images unlike those that networks were trained on."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.plot.audit import departures_figure
from emrestore.plot.style import save, style
from emrestore.workflow import run


def main(pairs: list[Path], restored: list[Path], table: Path, png: Path, pdf: Path, *, specimens: list[str]) -> None:
    """Draw each specimen clean, raw and restored at the middle dose, and the table."""
    rows = []
    for specimen, before, after in zip(specimens, pairs, restored, strict=True):
        source, found = store.read(before), store.read(after)
        dose = float(np.sort(source.dose.values)[source.sizes["dose"] // 2])
        one = {"dose": dose, "thickness": 0, "realisation": 0}
        rows.append(
            [
                (f"{specimen}", source.clean.values[0]),
                (f"raw, {dose:g} e/Å²", source.counts.sel(one).values),
                ("restored", found.counts.sel(one).values),
            ]
        )
    with style():
        save(departures_figure(rows, pd.read_csv(table), [*specimens, "features"]), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
