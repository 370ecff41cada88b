"""Shards: files of some tens of clean images with all that was drawn for each."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.errors import EmrestoreError
from emrestore.image import clean

MODALITIES = ("hrstem", "lrstem", "hrsem", "lrsem", "hrtem", "lrtem")
SPLITS = ("train", "validation")
#: Images run from 0 to 1 and are stored in 16 bits, a hundred times finer than they are rendered.
LEVELS = 65535


def draw(
    ranges: clean.Ranges, modality: str, split: str, numbers: Sequence[int], seed: int, progress: Iterable = ()
) -> xr.Dataset:
    """Make the images of a split with these numbers, whatever shards they are in.

    Parameters
    ----------
    ranges
        What to draw from.
    modality, split
        One of :data:`MODALITIES`, one of :data:`SPLITS`.
    numbers
        Of the images in their split, which with both and the seed are their address.
    seed
        Root seed.
    progress
        Wraps the numbers, for example in a progress bar.

    Returns
    -------
    Dataset
        ``image`` (number, y, x) in 16 bits, ``pixel_size`` [Å] and ``drawn`` (JSON) of each.
    """
    made = [clean.sample(ranges, modality, seed, "clean", modality, split, number) for number in progress or numbers]
    images = np.stack([np.rint(image * LEVELS).astype(np.uint16) for image, _ in made])
    return xr.Dataset(
        {
            "image": (("number", "y", "x"), images, {"scale_factor": np.float32(1 / LEVELS), "units": "1"}),
            "pixel_size": ("number", [drawn["pixel_size"] for _, drawn in made], {"units": "Å"}),
            "drawn": ("number", [json.dumps(drawn) for _, drawn in made]),
        },
        coords={"number": list(numbers)},
    )


def drawn(shard: xr.Dataset) -> list[dict]:
    """Give what was drawn for each image of a shard."""
    return [json.loads(text) for text in shard.drawn.values]


def read(path: Path) -> xr.Dataset:
    """Read a shard, its images as float32 from 0 to 1.

    Raises
    ------
    EmrestoreError
        If the file cannot be read or is no shard.
    """
    dataset = store.read(path)
    if not {"image", "pixel_size", "drawn"} <= set(dataset.variables):
        raise EmrestoreError(f"{path} is not a shard of clean images: it has {', '.join(dataset.variables)}")
    return dataset
