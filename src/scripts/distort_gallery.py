"""Distort one image by each effect alone, and by all effects of a modality's chain."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.distort.gallery import panels
from emrestore.periodic import sample
from emrestore.workflow import run


def main(
    image: Path,
    gallery: Path,
    *,
    modality: str,
    entries: dict,
    field: dict,
    dose: float,
    distortions: dict,
    draw: int,
    seed: int,
) -> None:
    """Write the panels (panel, y, x), and for each the kinds of its effects and all that was drawn."""
    source = store.read(image)
    shape = field["shape"]
    if modality == "tem":
        pixel_size = source.attrs["pixel_size"]
        # midway between corner and centre: part of the particle, its edge, and vacuum
        first = (len(source.y) - shape) // 4
        clean = source.intensity.values[first : first + shape, first : first + shape]
    else:
        pixel_size, period = field["pixel_size"], source.attrs["period"]
        section = source.fraction.sel(thickness=field["thickness"], method="nearest").values
        # the border lies midway between columns
        clean = sample(section, (period, period), pixel_size, (shape, shape), (-period / 2, -period / 2)).clip(0)
    shown = panels(clean, pixel_size, dose, entries, distortions, modality, seed, draw)
    dataset = xr.Dataset(
        {"image": (("panel", "y", "x"), np.stack([panel.image for panel in shown]), {"units": "e/px"})},
        coords={"panel": [panel.name for panel in shown]},
        attrs={"pixel_size": pixel_size, "dose": dose},
    )
    made = {panel.name: {"kinds": panel.kinds, "parameters": panel.parameters} for panel in shown}
    parameters = {"clean": store.parameters(source), "field": field, "panels": made, "draw": draw, "seed": seed}
    store.write(dataset, gallery, parameters)


if "snakemake" in globals():
    run(main, snakemake)
