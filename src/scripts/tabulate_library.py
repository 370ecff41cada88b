"""Average the library's phonon configurations."""

from pathlib import Path

import pandas as pd

from emrestore.columns.count import check_library
from emrestore.workflow import run


def main(parts: list[Path], table: Path) -> None:
    """Write one row per number of atoms: cross section [Å²], its standard error, number of configurations.

    Numbers of atoms of a configuration share atoms, so that a step from n to n + 1 is known better than two independent
    means would say; the test that every step is above the standard error is on the safe side.
    """
    rows = pd.concat([pd.read_csv(part) for part in parts]).sort_values("configuration")
    found = rows.groupby("atoms")["scs"].agg(scs="mean", scs_se="sem", configurations="size").reset_index()
    check_library(found["scs"], found["scs_se"])
    found.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
