"""Draw Fig. 4."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.plot.realistic import dislocation_figure
from emrestore.plot.style import dose_text, save, style
from emrestore.workflow import run


def main(
    pairs: Path,
    restored: Path,
    fits: Path,
    columns: Path,
    circuits: Path,
    table: Path,
    png: Path,
    pdf: Path,
    *,
    chain: str,
) -> None:
    """Draw the figure for one chain, from its first recordings at the lowest and the highest dose."""
    recorded, cleaned = store.read(pairs), store.read(restored)
    pixel_size = recorded.attrs["pixel_size"]
    sites = np.stack([recorded.x_site.values, recorded.y_site.values], axis=-1)
    known = pd.read_csv(columns).iloc[recorded.cell_column.values].reset_index(drop=True)
    core = sites[known["core"]].mean(0)
    radius = np.linalg.norm(sites[known["core"]] - core, axis=1).max() + 0.5 / pixel_size
    walks, places, walked = pd.read_csv(circuits), pd.read_parquet(fits), {}
    shown = (walks["method"] == "published") & (walks["sampling"] == chain) & (walks["realisation"] == 0)
    walks = walks[shown].dropna()
    for walk in walks.itertuples():
        found = places[(places["dose"] == walk.dose) & (places["realisation"] == 0)].sort_values("column")
        on_the_way = np.array(walk.path.split(), int)
        closure = np.array([walk.closure_x, walk.closure_y])
        walked[walk.dose] = (found[["x", "y"]].to_numpy()[on_the_way], closure)
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
