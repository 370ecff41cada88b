"""Measure displaced Gaussian columns with one method, for the bounds that its estimates obey."""

from pathlib import Path

import pandas as pd

from emrestore.columns.response import designs, measure, read_lattice, response_step
from emrestore.restore import open_method
from emrestore.workflow import run


def main(
    weights: Path | list[Path],
    truth: Path,
    pairs: Path,
    fits: Path,
    *,
    model: str,
    precision: str,
    prior: str | None,
    estimators: list[str],
    thickness: int,
    columns: int,
    doses: list[float],
    step: float,
    widths: list[float],
    realisations: int,
    seed: int,
) -> None:
    """Write one row per dose x design x estimator x realisation x column: true and measured displacements [px].

    ``weights`` is empty for a filter.
    """
    lattice = read_lattice(truth, pairs, thickness, columns)
    method = open_method(model, weights or "auto", precision=precision, prior=prior)
    tables = [
        measure(lattice, design, dose, method, estimators, seed)
        for dose in doses
        for design in designs(lattice, response_step(lattice, dose, step), widths, realisations, seed)
    ]
    pd.concat(tables, ignore_index=True).to_parquet(fits, index=False)


if "snakemake" in globals():
    run(main, snakemake)
