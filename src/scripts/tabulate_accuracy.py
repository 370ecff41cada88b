"""Set the columns of realistic specimens against their clean fits, and tabulate absolute errors by region."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.metrics import accuracy_table, column_errors
from emrestore.workflow import run


def main(
    pairs: list[Path],
    truths: list[Path],
    bounds: list[Path],
    fits: list[Path],
    columns: list[Path],
    scores: Path,
    table: Path,
    *,
    conditions: list[tuple[str, str, list[str]]],
    border: float,
) -> None:
    """Write a row per fitted column, and the table.

    ``conditions`` are specimen, chain and methods; ``fits`` holds a path for each of the methods, the others one for
    each condition.
    """
    rows, tables, unread = [], [], iter(fits)
    for place, (field, chain, methods) in enumerate(conditions):
        geometry, truth = store.read(pairs[place]), pd.read_parquet(truths[place])
        known = pd.read_csv(columns[place]).iloc[geometry.cell_column.values].reset_index(drop=True)
        # nothing is measured of a column that is not there
        regions = {"all": known.index[known["atoms"] > 0].to_numpy() if "atoms" in known else known.index.to_numpy()}
        if "core" in known and known["core"].sum() > 1:
            regions["core"] = known.index[known["core"]].to_numpy()
        of_chain = []
        for method in methods:
            errors = column_errors(pd.read_parquet(next(unread)), truth, geometry, border)
            errors.insert(0, "sampling", chain)
            errors.insert(1, "method", method + "_" + errors.pop("estimator"))
            of_chain.append(errors)
        of_chain = pd.concat(of_chain, ignore_index=True)
        of_chain.insert(0, "specimen", field)
        if "atoms" in known:
            of_chain["atoms"] = known["atoms"].to_numpy()[of_chain["column"]]
        rows.append(of_chain)
        found = accuracy_table(of_chain, regions, pd.read_parquet(bounds[place]))
        found.insert(0, "specimen", field)
        tables.append(found)
    pd.concat(rows, ignore_index=True).to_parquet(scores, index=False)
    pd.concat(tables).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
