"""Walk a Burgers circuit about the dislocation in every image, raw or restored by a network."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.burgers import burgers_circuit
from emrestore.errors import EmrestoreError
from emrestore.workflow import run

#: Steps along the glide plane and across it.
STEPS = (10, 6)


def main(
    pairs: Path,
    columns: Path,
    fits: list[Path],
    table: Path,
    *,
    conditions: list[tuple[str, str]],
    lattice_constant: float,
) -> None:
    """Write a row per method, chain, dose and realisation: the closure [Å] and the numbers of the columns on the way.

    Both are empty where the circuit cannot be walked. ``conditions`` are method and chain of each of ``fits``.
    """
    recorded = store.read(pairs)
    pixel_size = recorded.attrs["pixel_size"]
    sites = np.stack([recorded.x_site.values, recorded.y_site.values], axis=-1)
    core = pixel_size * sites[pd.read_csv(columns)["core"].to_numpy()[recorded.cell_column.values]].mean(0)
    # of the projected lattice: half the Burgers vector along the glide plane, and the distance of glide planes
    steps = lattice_constant * np.diag([np.sqrt(2) / 4, 1 / np.sqrt(3)])
    rows = []
    for (method, chain), path in zip(conditions, fits, strict=True):
        fitted = pd.read_parquet(path).query("estimator == 'ls'")
        for (dose, realisation), group in fitted.groupby(["dose", "realisation"]):
            places = pixel_size * group.sort_values("column")[["x", "y"]].to_numpy()
            row = {"method": method, "sampling": chain, "dose": dose, "realisation": realisation}
            try:
                circuit = burgers_circuit(places, steps, STEPS, core)
            except EmrestoreError:  # it cannot be walked: a result
                rows.append(row | {"closure_x": np.nan, "closure_y": np.nan, "path": ""})
                continue
            x, y = circuit.closure
            rows.append(row | {"closure_x": x, "closure_y": y, "path": " ".join(map(str, circuit.path))})
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
