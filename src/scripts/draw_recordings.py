"""Draw recordings of a realistic specimen's clean image at all doses, by one chain of distortions."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from scipy.spatial import cKDTree

from emrestore import store
from emrestore.distort.chain import build
from emrestore.pairs import draw_images, expected_counts
from emrestore.workflow import run


def main(
    image: Path,
    columns: Path,
    pairs: Path,
    *,
    field: str,
    chain: str,
    doses: list[float],
    realisations: int,
    distortions: dict,
    seed: int,
) -> None:
    """Write what ``draw_pairs`` writes of the bulk: the clean fraction, recordings with what distorted them, columns.

    There is one thickness, called 0, since columns differ in theirs.
    """
    source = store.read(image)
    fraction, pixel_size = np.maximum(source.fraction.values, 0.0), source.attrs["pixel_size"]
    links = build(distortions, chain)
    recorded = [
        draw_images(
            expected_counts(fraction, dose, pixel_size),
            realisations,
            links,
            pixel_size,
            seed,
            "pairs",
            field,
            chain,
            dose,
        )
        for dose in doses
    ]
    places = (pd.read_csv(columns)[["x", "y"]].to_numpy() - [source.attrs["x0"], source.attrs["y0"]]) / pixel_size
    ny, nx = fraction.shape
    inside = ((places > -0.5) & (places < [nx - 0.5, ny - 0.5])).all(1)
    sites = places[inside]
    condition = ("dose", "thickness", "realisation")
    dataset = xr.Dataset(
        {
            "clean": (("thickness", "y", "x"), fraction[None], {"units": "detected fraction"}),
            "counts": (
                (*condition, "y", "x"),
                np.stack([images for images, _ in recorded])[:, None],
                {"units": "electrons"},
            ),
            **{
                name: (
                    (*condition, *(f"{name}.{axis}" for axis in range(values.ndim - 1))),
                    np.stack([parameters[name] for _, parameters in recorded])[:, None],
                )
                for name, values in recorded[0][1].items()
            },
            "x_site": ("column", sites[:, 0], {"units": "px"}),
            "y_site": ("column", sites[:, 1], {"units": "px"}),
            "dx": ("column", np.zeros(len(sites)), {"units": "px"}),
            "dy": ("column", np.zeros(len(sites)), {"units": "px"}),
            "cell_column": ("column", np.flatnonzero(inside)),
        },
        coords={"dose": ("dose", doses, {"units": "e/Å²"}), "thickness": [0]},
        attrs={"pixel_size": pixel_size, "pitch": float(np.median(cKDTree(sites).query(sites, k=2)[0][:, 1]))},
    )
    parameters = {"clean": store.parameters(source), "distortions": chain, "seed": seed, "specimen": field}
    store.write(dataset, pairs, parameters)


if "snakemake" in globals():
    run(main, snakemake)
