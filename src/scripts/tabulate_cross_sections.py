"""Tabulate the cross section of a column against thickness: of the simulation, and as the Gaussian model finds it."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.workflow import run


def main(image: Path, truths: list[Path], table: Path, *, samplings: list[str]) -> None:
    """Write one row per thickness: cell SCS with phonon standard error, and the clean fits' SCS [Å²]."""
    source = store.read(image)
    rows = source[["cell_scs", "cell_scs_se"]].to_dataframe()
    for sampling, path in zip(samplings, truths, strict=True):
        fits = pd.read_parquet(path)
        for estimator, group in fits.groupby("estimator"):
            rows[f"fit_scs_{estimator}_{sampling}"] = group.groupby("thickness")["scs"].median()
    rows.to_csv(table, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
