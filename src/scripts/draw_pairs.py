"""Sample the clean image on a camera grid and draw its noisy realisations."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from emrestore import store
from emrestore.distort.chain import build
from emrestore.pairs import draw_images, expected_counts
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
    condition = ("dose", "thickness", "realisation")

    def stacked(arrays: list[np.ndarray]) -> np.ndarray:
        return np.stack(arrays).reshape(len(doses), len(clean), *arrays[0].shape)

    dataset = xr.Dataset(
        {
            "clean": (("thickness", "y", "x"), clean, {"units": "detected fraction"}),
            "counts": ((*condition, "y", "x"), stacked([images for images, _ in recorded]), {"units": "electrons"}),
            **{
                name: ((*condition, *(f"{name}.{axis}" for axis in range(values.ndim - 1))), stacked(arrays))
                for name, values in recorded[0][1].items()
                for arrays in [[parameters[name] for _, parameters in recorded]]
            },
            **{
                name: ("column", in_view[name].to_numpy(), {"units": "px"}) for name in ("x_site", "y_site", "dx", "dy")
            },
            "cell_column": ("column", in_view["column"].to_numpy()),
        },
        coords={
            "dose": ("dose", list(doses.values()), {"units": "e/Å²"}),
            "thickness": source.thickness,
        },
        attrs={"pixel_size": pixel_size, "pitch": pitch / pixel_size},
    )
    parameters = {"clean": store.parameters(source), "distortions": chain, "seed": seed, "specimen": specimen}
    store.write(dataset, pairs, parameters | {"sampling": sampling})


if "snakemake" in globals():
    run(main, snakemake)
