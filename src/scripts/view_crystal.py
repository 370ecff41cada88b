"""Make the clean image of a view: a periodic crystal, alone or with what networks were not trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from ase.data import atomic_numbers

from emrestore import store, views
from emrestore.periodic import sample
from emrestore.rng import stream
from emrestore.specimen.named import columns_in_view
from emrestore.workflow import run


def main(
    crystal: Path,
    sites: Path,
    library: Path,
    image: Path,
    columns: Path,
    *,
    view: str,
    thickness: int,
    layers: list[str],
    pixel_size: float,
    shape: int,
    rotation: float,
    film_thickness: list[float],
    film: dict,
    species: str,
    seed: int,
) -> None:
    """Write the detected fraction (y, x) and the table of columns, which is empty where there are none."""
    source = store.read(crystal)
    cells = int(source.thickness.sel(thickness=thickness, method="nearest"))
    fraction, period = source.fraction.sel(thickness=cells).values, source.attrs["period"]
    table, field = pd.read_csv(sites), (shape, shape)
    # half a pitch off the columns, as in the bulk series
    origin = table[["x_site", "y_site"]].min().to_numpy() + (pixel_size - source.attrs["pitch"]) / 2
    beyond = pixel_size * shape
    # columns of three fields' width, so that turned ones fill the corners
    near = columns_in_view(table, source.attrs["supercell"], origin - beyond, pixel_size, (3 * shape, 3 * shape))
    places = origin - beyond + pixel_size * near[["x_site", "y_site"]].to_numpy()
    known = pd.read_csv(library).set_index("atoms")["scs"]
    carbon = known[1] * (atomic_numbers["C"] / atomic_numbers[species]) ** film["exponent"]
    clean, found = np.zeros(field), np.empty((0, 4))
    for layer in layers:
        if layer == "crystal":
            clean += sample(fraction, (period, period), pixel_size, field, origin)
            found = np.concatenate([places, places + pixel_size * near[["dx", "dy"]].to_numpy()], axis=1)
        elif layer == "turned crystal":
            clean += views.turned(fraction, period, rotation, pixel_size, field, origin)
            second = views.turn(places, rotation, views.middle(pixel_size, field, origin))
            found = np.tile(views.merge(found[:, :2], second), 2)
        else:
            uniform, generator = layer == "uniform", stream(seed, "film", view)
            clean += views.film(
                film_thickness,
                field,
                pixel_size,
                carbon,
                generator,
                density=film["density"],
                sigma=film["sigma"],
                uniform=uniform,
            )
    inside = (np.abs(found[:, :2] - views.middle(pixel_size, field, origin)) < pixel_size * shape / 2).all(axis=1)
    sites_in_view = pd.DataFrame(found[inside], columns=["x_site", "y_site", "x", "y"]).rename_axis("column")
    sites_in_view.to_csv(columns, float_format="%.9f", lineterminator="\n")
    dataset = xr.Dataset(
        {"fraction": (("y", "x"), clean, {"units": "detected fraction"})},
        attrs={"pixel_size": pixel_size, "x0": origin[0], "y0": origin[1], "thickness": cells},
    )
    store.write(dataset, image, {"crystal": store.parameters(source), "view": view, "layers": layers, "seed": seed})


if "snakemake" in globals():
    run(main, snakemake)
