"""Draw Fig. 4."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.burgers import burgers_circuit
from emrestore.errors import EmrestoreError
from emrestore.plot.realistic import dislocation_figure
from emrestore.plot.style import dose_text, save, style
from emrestore.workflow import run

#: Steps of the Burgers circuit along the glide plane and across it.
STEPS = (10, 6)


def main(
    pairs: Path,
    restored: Path,
    fits: list[Path],
    columns: Path,
    table: Path,
    png: Path,
    pdf: Path,
    circuits: Path,
    *,
    chain: str,
    chains: list[str],
    lattice_constant: float,
) -> None:
    """Draw the figure for one chain, and write the closure failure of the circuit in every restored image of all."""
    recorded, cleaned = store.read(pairs), store.read(restored)
    pixel_size = recorded.attrs["pixel_size"]
    sites = np.stack([recorded.x_site.values, recorded.y_site.values], axis=-1)
    known = pd.read_csv(columns).iloc[recorded.cell_column.values].reset_index(drop=True)
    core = sites[known["core"]].mean(0)
    radius = np.linalg.norm(sites[known["core"]] - core, axis=1).max() + 0.5 / pixel_size
    # of the projected lattice: half the Burgers vector along the glide plane, and the distance of glide planes
    steps = lattice_constant * np.diag([np.sqrt(2) / 4, 1 / np.sqrt(3)])
    rows, walked = [], {}
    for name, path in zip(chains, fits, strict=True):
        for (dose, realisation), group in pd.read_parquet(path).groupby(["dose", "realisation"]):
            places = pixel_size * group.sort_values("column")[["x", "y"]].to_numpy()
            row = {"sampling": name, "dose": dose, "realisation": realisation, "closure_x": np.nan, "closure_y": np.nan}
            try:
                circuit = burgers_circuit(places, steps, STEPS, pixel_size * core)
            except EmrestoreError:  # it cannot be walked: a result
                rows.append(row)
                continue
            rows.append(row | {"closure_x": circuit.closure[0], "closure_y": circuit.closure[1]})
            if name == chain and realisation == 0:
                walked[dose] = (places[circuit.path] / pixel_size, circuit.closure)
    pd.DataFrame(rows).to_csv(circuits, index=False, float_format="%.6g", lineterminator="\n")
    doses = float(recorded.dose.min()), float(recorded.dose.max())
    images = {
        f"{kind}, {dose_text(dose)}": dataset.counts.sel(dose=dose, thickness=0, realisation=0).values
        for kind, dataset in (("raw", recorded), ("restored", cleaned))
        for dose in doses
    }
    drawn = {f"restored, {dose_text(dose)}": walked[dose] for dose in doses if dose in walked}
    measured = pd.read_csv(table)
    measured = measured[(measured["specimen"] == "dislocation") & (measured["sampling"] == chain)]
    with style():
        figure = dislocation_figure(measured, recorded.clean.values[0], images, drawn, (core, radius), pixel_size)
        save(figure, png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
