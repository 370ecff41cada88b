"""Set the errors of every method on Gaussian columns against the bounds that hold for them."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.columns.response import bounds, prior_draws, read_lattice, summarise
from emrestore.workflow import run

ORDER = ["experiment", "dose", "method", "quantity", "prior", "value", "low", "high", "unit", "n", "left_out"]


def main(
    truth: Path,
    pairs: Path,
    fits: list[Path],
    table: Path,
    response: Path,
    *,
    methods: list[str],
    thickness: int,
    columns: int,
    doses: list[float],
    widths: list[float],
    realisations: int,
    border: float,
    seed: int,
) -> None:
    """Write errors, responses and bounds, and the gradient of every method's estimates."""
    lattice = read_lattice(truth, pairs, thickness, columns)
    # beside the measured widths some more, for a curve
    curve = np.geomspace(min(width for width in widths if width) / 10, 1.5 * max(widths), 17)
    limits = bounds(lattice, doses, prior_draws(lattice, realisations, seed), np.union1d(widths, curve), border)
    tables, gradients = [limits.assign(experiment="bound", method="bound")], []
    for method, path in zip(methods, fits, strict=True):
        for (estimator, dose), rows in pd.read_parquet(path).groupby(["estimator", "dose"]):
            errors, gradient = summarise(rows, lattice, border)
            name = {"method": f"{method}_{estimator}", "dose": dose}
            tables.append(errors.assign(**name))
            gradients.append(gradient.assign(**name))
    written = {"index": False, "float_format": "%.6g", "lineterminator": "\n"}
    pd.concat(tables)[ORDER].to_csv(table, **written)
    found = pd.concat(gradients)
    found[["dose", "method", *found.columns.drop(["dose", "method"])]].to_csv(response, **written)


if "snakemake" in globals():
    run(main, snakemake)
