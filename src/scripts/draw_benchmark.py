"""Distort validation images of one modality for benchmarks."""

from pathlib import Path

import numpy as np
import torch
import xarray as xr

from emrestore import rng, store
from emrestore.distort import noise
from emrestore.distort.chain import build, distort
from emrestore.errors import EmrestoreError
from emrestore.train import data
from emrestore.workflow import run


def main(
    validation_shards: list[Path],
    pairs: Path,
    *,
    modality: str,
    edge: int,
    images: int,
    distortions: dict,
    chain: str,
    seed: int,
) -> None:
    """Write truth and distorted images (image, y, x) in electrons, the unit in which BM3D knows the noise, and split.

    Each clean image gives one crop of ``edge`` pixels, or of its own edge if that is less. A pair depends on its number
    and not on how many there are.
    """
    pool = data.load(validation_shards)
    if images > len(pool):
        raise EmrestoreError(f"{images} pairs need as many clean {modality} images, not {len(pool)}; draw more shards")
    edge = min(edge, *pool.images.shape[1:])
    address = (seed, "benchmarks", modality)
    crops = [data.crops(pool.part([number]), edge, 0, 1, *address, number) for number in range(images)]
    clean, pixel_size, _ = (torch.cat(parts) for parts in zip(*crops, strict=True))
    keys = noise.keys(rng.key(*address, "distortions"), images)
    truth, distorted, drawn = distort(build(distortions, chain), keys, clean, pixel_size)
    electrons = drawn["exposure"]["electrons"][:, None, None]
    dataset = xr.Dataset(
        {
            name: (("image", "y", "x"), (stack[:, 0] * electrons).numpy(), {"units": "electrons"})
            for name, stack in (("truth", truth), ("distorted", distorted))
        }
        | {"split": ("image", ["validation"] * images)},
        coords={"image": np.arange(images)},
    )
    store.write(dataset, pairs, {"modality": modality, "chain": chain, "distortions": distortions, "seed": seed})


if "snakemake" in globals():
    run(main, snakemake)
