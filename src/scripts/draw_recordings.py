"""Draw recordings of a realistic specimen's clean image at all doses, by one chain of distortions."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from emrestore import store
from emrestore.distort.chain import build
from emrestore.pairs import dataset, draw_images, expected_counts
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
    in_view = pd.DataFrame({"x_site": sites[:, 0], "y_site": sites[:, 1], "dx": 0.0, "dy": 0.0})
    in_view["column"] = np.flatnonzero(inside)
    pitch = float(np.median(cKDTree(sites).query(sites, k=2)[0][:, 1]))
    made = dataset(fraction[None], [0], doses, recorded, in_view, pixel_size, pitch)
    parameters = {"clean": store.parameters(source), "distortions": chain, "seed": seed, "specimen": field}
    store.write(made, pairs, parameters)


if "snakemake" in globals():
    run(main, snakemake)
