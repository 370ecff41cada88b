"""Fit all columns of all images of one specimen and sampling, as one method left them."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.table import fit_stack
from emrestore.workflow import run


def main(pairs: Path, images: Path, fits: Path, *, estimators: list[str], width: str, background: str) -> None:
    """Write one row per estimator x dose x thickness x realisation x column: positions [px], SCS [Å²], flags."""
    geometry = store.read(pairs)
    counts = store.read(images).counts
    start = np.stack([geometry.x_site.values, geometry.y_site.values], axis=-1)
    tables = []
    for estimator in estimators:
        for dose in counts.dose.values:
            stack = counts.sel(dose=dose)
            rows = fit_stack(stack.values.reshape(-1, *stack.shape[-2:]), start, estimator, width, background)
            image = rows.pop("image")
            realisations = stack.sizes["realisation"]
            rows.insert(0, "estimator", estimator)
            rows.insert(1, "dose", dose)
            rows.insert(2, "thickness", stack.thickness.values[image // realisations])
            rows.insert(3, "realisation", image % realisations)
            for name in ("scs", "scs_se"):  # volume [electrons] / dose [e/Å²]
                rows[name] /= dose
            tables.append(rows)
    pd.concat(tables, ignore_index=True).to_parquet(fits, index=False)


if "snakemake" in globals():
    run(main, snakemake)
