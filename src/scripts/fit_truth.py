"""Fit the clean images, and bound what any unbiased estimator can do with their noisy realisations."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.table import fit_stack, poisson_bounds
from emrestore.pairs import expected_counts
from emrestore.workflow import run


def main(pairs: Path, truth: Path, bounds: Path, *, estimators: list[str], width: str, background: str) -> None:
    """Write the clean fits (estimator x thickness x column) and the Cramér-Rao bounds (dose x thickness x column).

    Both estimators are equivariant to intensity scale, so one fit of a clean image serves all doses. The bounds are
    those of the Gaussian model with the parameters that maximum likelihood finds in the clean image.
    """
    source = store.read(pairs)
    start = np.stack([source.x_site.values, source.y_site.values], axis=-1)
    dose = float(source.dose.max())
    clean = expected_counts(source.clean.values, dose, source.attrs["pixel_size"])
    fits = {}
    for estimator in {*estimators, "ml"}:
        rows = fit_stack(clean, start, estimator, width, background)
        rows.insert(0, "estimator", estimator)
        rows.insert(1, "thickness", source.thickness.values[rows.pop("image")])
        rows[["scs", "scs_se"]] /= dose
        fits[estimator] = rows
    table = pd.concat([fits[name] for name in sorted(fits)], ignore_index=True)
    table.drop(columns=[name for name in table if name.endswith("_se")]).to_parquet(truth, index=False)

    limits = []
    for level in source.dose.values:
        scale, shape, pixel_size = level / dose, clean.shape[-2:], source.attrs["pixel_size"]
        found = poisson_bounds(fits["ml"], scale, shape, width, background, pixel_size)
        found["crlb_scs"] /= level  # electrons x px² over the dose [e/Å²], pixels of the fit: Å²
        limits.append(found.assign(dose=level))
    pd.concat(limits, ignore_index=True).to_parquet(bounds, index=False)


if "snakemake" in globals():
    run(main, snakemake)
