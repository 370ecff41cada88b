"""Read the authors' simulated pairs of one modality from their package."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.authors import pairs
from emrestore.workflow import run


def main(images: Path, *, modality: str, development: int) -> None:
    """Write truth and distorted images (image, y, x) and the ``split`` of each pair: the first ones are development."""
    truth, distorted = pairs(modality)
    axes = ("image", "y", "x")
    splits = ["development" if number < development else "release" for number in range(len(truth))]
    dataset = xr.Dataset(
        {"truth": (axes, truth), "distorted": (axes, distorted), "split": ("image", splits)},
        coords={"image": np.arange(len(truth))},
    )
    store.write(dataset, images, {"modality": modality, "development": development})


if "snakemake" in globals():
    run(main, snakemake)
