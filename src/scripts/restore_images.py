"""Restore the noisy images of one specimen and sampling by one method: a network or a filter."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.restore import restore
from emrestore.workflow import run


def main(
    weights: Path | list[Path],
    pairs: Path,
    restored: Path,
    *,
    model: str,
    precision: str,
    prior: str | None,
    realisations: int | str,
) -> None:
    """Write restored counts (dose, thickness, realisation, y, x), float32, in electrons as the input was.

    ``weights`` is empty for a filter. ``realisations``: how many of each condition, the first ones, or ``"all"``.
    """
    source = store.read(pairs)
    noisy = source.counts if realisations == "all" else source.counts.isel(realisation=slice(realisations))
    images = noisy.values.astype(np.float32).reshape(-1, *noisy.shape[-2:])
    images = restore(images, model=model, weights=weights or "auto", precision=precision, prior=prior)
    counts = noisy.copy(data=images.reshape(noisy.shape))
    dataset = xr.Dataset({"counts": counts}, attrs=source.attrs)
    made = {"model": model, "precision": precision, "prior": prior, "realisations": realisations}
    store.write(dataset, restored, store.parameters(source) | made)


if "snakemake" in globals():
    run(main, snakemake)
