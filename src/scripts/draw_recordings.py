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

    There is one thickness, called 0, since columns differ in theirs. Where the table has the lattice's sites beside the
    places of columns, fits will start at the sites, which give nothing away.
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
    table = pd.read_csv(columns)
    known = ["x_site", "y_site"] if "x_site" in table else ["x", "y"]
    corner = [source.attrs["x0"], source.attrs["y0"]]
    sites, places = ((table[names].to_numpy() - corner) / pixel_size for names in (known, ["x", "y"]))
    ny, nx = fraction.shape
    inside = ((sites > -0.5) & (sites < [nx - 0.5, ny - 0.5])).all(1)
    sites, shifts = sites[inside], (places - sites)[inside]
    in_view = pd.DataFrame(np.concatenate([sites, shifts], axis=1), columns=["x_site", "y_site", "dx", "dy"])
    in_view["column"] = np.flatnonzero(inside)
    pitch = float(np.median(cKDTree(sites).query(sites, k=2)[0][:, 1])) if len(sites) > 1 else np.nan
    made = dataset(fraction[None], [0], doses, recorded, in_view, pixel_size, pitch)
    parameters = {"clean": store.parameters(source), "distortions": chain, "seed": seed, "specimen": field}
    store.write(made, pairs, parameters)


if "snakemake" in globals():
    run(main, snakemake)
