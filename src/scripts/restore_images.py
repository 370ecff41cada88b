"""Restore all noisy images of one specimen and sampling by one method."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.restore import restore
from emrestore.workflow import run


def main(weights: Path, pairs: Path, restored: Path, *, model: str, precision: str) -> None:
    """Write restored counts (dose, thickness, realisation, y, x), float32, in electrons as the input was."""
    source = store.read(pairs)
    noisy = source.counts
    images = noisy.values.astype(np.float32).reshape(-1, *noisy.shape[-2:])
    images = restore(images, model=model, weights=weights, precision=precision)
    counts = noisy.copy(data=images.reshape(noisy.shape))
    dataset = xr.Dataset({"counts": counts}, attrs=source.attrs)
    store.write(dataset, restored, store.parameters(source) | {"model": model, "precision": precision})


if "snakemake" in globals():
    run(main, snakemake)
