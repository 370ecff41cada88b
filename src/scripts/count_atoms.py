"""Count the atoms of the particle's columns by both routes, in every recording and in the clean image."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.columns.count import confusion, count_by_library, count_by_mixture, fraction_right
from emrestore.metrics import errors_of
from emrestore.workflow import run

CONDITION = ["sampling", "dose", "method"]


def main(scores: Path, columns: Path, library: Path, table: Path, confusions: Path, *, field: str) -> None:
    """Write the fraction of columns counted right, and how often n atoms were taken for m.

    Rows of dose infinity are the undistorted image, fitted by the estimator of the method. Its columns are those of one
    octant eightfold, phonon noise and all: intervals there take as many to be independent as the octant has. Intervals
    at finite doses are of the noise in recordings of this one simulated particle.
    """
    rows = pd.read_parquet(scores)
    rows = rows[(rows["specimen"] == field) & rows["scored"]]
    known = pd.read_csv(library)
    true = rows.drop_duplicates("column").sort_values("column")["atoms"].to_numpy(int)
    most = int(known["atoms"].max())
    places = pd.read_csv(columns)[["x", "y"]].to_numpy()
    octant = np.unique(np.sort(np.abs(places - places.mean(0)).round(3), axis=1), axis=0)
    found, mistaken = [], []
    for condition, group in rows.groupby(CONDITION, sort=True):
        error, clean = np.moveaxis(errors_of(group, ["scs_error", "scs_clean"]), -1, 0)
        cases = {condition[1]: clean * (1 + error)}
        if condition[1] == rows["dose"].min() and condition[0] == rows["sampling"].min():
            cases[np.inf] = clean[:1]
        for dose, scs in cases.items():
            counts = {
                "library": count_by_library(scs, known["scs"], known["scs_se"]).atoms,
                "mixture": count_by_mixture(scs, most, library=known["scs"].to_numpy()).atoms,
            }
            for route, atoms in counts.items():
                name = {"sampling": condition[0], "dose": dose, "method": condition[2], "route": route}
                name["sampling"] = "clean" if np.isinf(dose) else name["sampling"]
                independent = len(octant) if np.isinf(dose) else None
                found.append(name | fraction_right(true, atoms, independent=independent))
                matrix = confusion(true, atoms, most)
                for n, m in np.argwhere(matrix):
                    mistaken.append(name | {"atoms": n, "counted": m, "times": matrix[n, m]})
    pd.DataFrame(found).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")
    pd.DataFrame(mistaken).to_csv(confusions, index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
