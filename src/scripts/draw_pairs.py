"""Sample the clean image on a camera grid and draw its noisy realisations."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.distort.chain import build
from emrestore.pairs import dataset, draw_images, expected_counts
from emrestore.periodic import sample
from emrestore.specimen.named import columns_in_view
from emrestore.workflow import run


def main(
    image: Path,
    columns: Path,
    pairs: Path,
    *,
    specimen: str,
    sampling: str,
    pixel_size: float,
    shape: int,
    doses: dict[str, float],
    realisations: int,
    distortions: dict,
    chain: str,
    seed: int,
) -> None:
    """Write clean fractions, recorded images with what distorted each, and the columns in view."""
    source = store.read(image)
    period = source.attrs["period"]
    pitch = source.attrs["pitch"]
    # the border lies midway between columns: the first column is half a pitch inside
    table = pd.read_csv(columns)
    origin = table[["x_site", "y_site"]].min().to_numpy() - pitch / 2 + pixel_size / 2
    clean = np.maximum(sample(source.fraction.values, (period, period), pixel_size, (shape, shape), origin), 0.0)
    in_view = columns_in_view(table, source.attrs["supercell"], origin, pixel_size, (shape, shape))
    links = build(distortions, chain)
    recorded = [
        draw_images(expected_counts(fraction, dose, pixel_size), realisations, links, pixel_size, seed, *name)
        for dose in doses.values()
        for thickness, fraction in zip(source.thickness.values, clean, strict=True)
        for name in [("pairs", specimen, sampling, dose, int(thickness))]
    ]
    made = dataset(clean, source.thickness, list(doses.values()), recorded, in_view, pixel_size, pitch / pixel_size)
    parameters = {"clean": store.parameters(source), "distortions": chain, "seed": seed, "specimen": specimen}
    store.write(made, pairs, parameters | {"sampling": sampling})


if "snakemake" in globals():
    run(main, snakemake)
