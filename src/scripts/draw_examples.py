"""Choose clean images by a rule and distort them as in training."""

from pathlib import Path

import torch
import xarray as xr

from emrestore import rng, store
from emrestore.distort import noise
from emrestore.distort.chain import build, distort
from emrestore.errors import EmrestoreError
from emrestore.image import shard
from emrestore.train.data import DARKEST
from emrestore.workflow import run


def main(
    images: Path,
    pairs: Path,
    *,
    modality: str,
    kind: str,
    pixel_size: list[float],
    specimens: int,
    distortions: dict,
    chain: str,
    seed: int,
) -> None:
    """Write truth and distorted images (number, y, x) in electrons of the shard's first images of a kind.

    ``pixel_size``: least and greatest [Å]; ``specimens``: how many. The numbers of the images, with seed, modality and
    chain, are the address of what distorts them.
    """
    source = shard.read(images)
    low, high = pixel_size
    chosen = [
        place
        for place, drawn in enumerate(shard.drawn(source))
        if drawn["kind"] == kind and low <= drawn["pixel_size"] <= high
    ][:specimens]
    if len(chosen) < specimens:
        raise EmrestoreError(
            f"{images} has {len(chosen)} {kind} images with pixels of {low} to {high} Å, not {specimens}; widen their "
            "range in the configuration"
        )
    source = source.isel(number=chosen)
    addresses = [(seed, "examples", modality, chain, int(number)) for number in source.number.values]
    keys = torch.cat([noise.keys(rng.key(*address), 1) for address in addresses])
    clean = torch.from_numpy(source.image.values)[:, None].clamp(min=DARKEST)
    truth, distorted, drawn = distort(
        build(distortions, chain), keys, clean, torch.from_numpy(source.pixel_size.values)
    )
    electrons = drawn["exposure"]["electrons"].numpy()

    def in_electrons(stack: torch.Tensor) -> tuple:
        return ("number", "y", "x"), stack[:, 0].numpy() * electrons[:, None, None], {"units": "electrons"}

    made = xr.Dataset(
        {"truth": in_electrons(truth), "counts": in_electrons(distorted), "pixel_size": source.pixel_size},
        coords={"number": source.number},
    )
    parameters = {"kind": kind, "pixel_size": pixel_size, "chain": chain, "distortions": distortions, "seed": seed}
    store.write(made, pairs, parameters | {"clean": store.parameters(source)})


if "snakemake" in globals():
    run(main, snakemake)
