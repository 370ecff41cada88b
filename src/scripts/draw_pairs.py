"""Sample the clean image on a camera grid and draw its noisy realisations."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from emrestore import store
from emrestore.pairs import draw_counts, expected_counts
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
    seed: int,
) -> None:
    """Write clean fractions (thickness, y, x), counts (dose, thickness, realisation, y, x) and the columns in view."""
    source = store.read(image)
    period = source.attrs["period"]
    pitch = source.attrs["pitch"]
    # the border lies midway between columns: the first column is half a pitch inside
    table = pd.read_csv(columns)
    origin = table[["x_site", "y_site"]].min().to_numpy() - pitch / 2 + pixel_size / 2
    clean = np.maximum(sample(source.fraction.values, (period, period), pixel_size, (shape, shape), origin), 0.0)
    in_view = columns_in_view(table, source.attrs["supercell"], origin, pixel_size, (shape, shape))
    counts = np.stack(
        [
            [
                draw_counts(expected_counts(fraction, dose, pixel_size), realisations, seed, *name)
                for thickness, fraction in zip(source.thickness.values, clean, strict=True)
                for name in [("pairs", specimen, sampling, dose, int(thickness))]
            ]
            for dose in doses.values()
        ]
    )
    dataset = xr.Dataset(
        {
            "clean": (("thickness", "y", "x"), clean, {"units": "detected fraction"}),
            "counts": (("dose", "thickness", "realisation", "y", "x"), counts, {"units": "electrons"}),
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
    parameters = {"clean": store.parameters(source), "noise": "poisson", "seed": seed, "specimen": specimen}
    store.write(dataset, pairs, parameters | {"sampling": sampling})


if "snakemake" in globals():
    run(main, snakemake)
