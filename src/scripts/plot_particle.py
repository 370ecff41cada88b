"""Draw Fig. 5."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.plot.realistic import particle_figure
from emrestore.plot.style import METHODS, dose_text, save, short_label, style
from emrestore.workflow import run


def main(table: Path, counts: Path, confusions: Path, png: Path, pdf: Path, *, chain: str) -> None:
    """Draw errors, counts, and confusion matrices at the lowest dose."""
    measured, counted, mistaken = (pd.read_csv(path) for path in (table, counts, confusions))
    measured = measured[(measured["specimen"] == "particle") & (measured["sampling"] == chain)]
    counted = counted[counted["sampling"].isin([chain, "clean"])]
    most = int(mistaken[["atoms", "counted"]].max().max())
    matrices = []
    dose = mistaken["dose"].min()
    for method in METHODS:
        rows = mistaken[(mistaken["sampling"] == chain) & (mistaken["dose"] == dose) & (mistaken["route"] == "library")]
        rows = rows[rows["method"] == method]
        if rows.empty:
            continue
        matrix = np.zeros((most + 1, most + 1))
        matrix[rows["atoms"], rows["counted"]] = rows["times"]
        matrices.append((f"{short_label(method)},\n{dose_text(dose)}", matrix))
    with style():
        save(particle_figure(measured, counted, matrices), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
