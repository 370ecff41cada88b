"""Crops of clean images for training, drawn by the number of the step alone."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emrestore import rng
from emrestore.distort import noise
from emrestore.errors import EmrestoreError
from emrestore.image import shard

#: Least intensity of a clean crop, whose image has a maximum of one: the darkest vacuum still has a dose.
DARKEST = 1e-4


@dataclass(frozen=True)
class Pool:
    """Clean images in memory.

    Attributes
    ----------
    images
        (n, Y, X) 16-bit levels, see :data:`emrestore.image.shard.LEVELS`.
    pixel_size
        (n,) [Å].
    disorder
        (n,) strength of the disorder that each specimen was drawn with, from 0 to 1
        (:mod:`emrestore.specimen.disorder`).
    """

    images: Tensor
    pixel_size: Tensor
    disorder: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def part(self, numbers: Sequence[int]) -> "Pool":
        """Give some of the images."""
        return Pool(*(getattr(self, field.name)[numbers] for field in fields(self)))


def load(paths: Sequence[Path]) -> Pool:
    """Read shards into memory.

    Raises
    ------
    EmrestoreError
        If there is none, one cannot be read, or their images differ in size, before any training.
    """
    if not paths:
        raise EmrestoreError("there is no shard of clean images to train on; make some with snakemake clean_shards")
    images, pixel_sizes, disorder = [], [], []
    for path in paths:
        dataset = shard.read(path)
        if images and dataset.image.shape[1:] != images[0].shape[1:]:
            raise EmrestoreError(f"{path} has images of {dataset.image.shape[1:]} px, others {images[0].shape[1:]}")
        images.append(np.rint(dataset.image.values * shard.LEVELS).astype(np.uint16))
        pixel_sizes.append(dataset.pixel_size.values)
        disorder += [
            ((drawn.get("specimen") or {}).get("disorder") or {"strength": 0.0})["strength"]
            for drawn in shard.drawn(dataset)
        ]
    return Pool(
        torch.from_numpy(np.concatenate(images)),
        torch.from_numpy(np.concatenate(pixel_sizes)).float(),
        torch.tensor(disorder, dtype=torch.float32),
    )


def crops(
    pool: Pool, edge: int, first: int, count: int, seed: int, *address: rng.Part
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw crops of clean images, each turned and mirrored at random.

    That is allowed before distortion only: a scanned image knows its scan direction.

    Parameters
    ----------
    pool
        Clean images.
    edge
        Edge of the square crops [px].
    first, count
        Numbers of the crops, first and how many, in the run: the same numbers are the same crops in any batch.
    seed, address
        Of the run.

    Returns
    -------
    clean : Tensor
        (count, 1, edge, edge) float32.
    pixel_size, disorder : Tensor
        (count,) [Å], and strength of each specimen's disorder.
    """
    ny, nx = pool.images.shape[1:]
    if edge > min(ny, nx):
        raise EmrestoreError(f"crops of {edge} px do not fit into clean images of {ny} x {nx} px")
    draws = noise.uniform(noise.keys(rng.key(seed, *address), count, first), 4)
    which, top, left, symmetry = (draws * torch.tensor([len(pool), ny - edge + 1, nx - edge + 1, 8])).long().unbind(1)
    line = torch.arange(edge)
    up = torch.where((symmetry & 1 > 0)[:, None], edge - 1 - line, line)
    across = torch.where((symmetry & 2 > 0)[:, None], edge - 1 - line, line)
    turned = (symmetry & 4 > 0)[:, None, None]
    y = top[:, None, None] + torch.where(turned, across[:, None, :], up[:, :, None])
    x = left[:, None, None] + torch.where(turned, up[:, :, None], across[:, None, :])
    clean = pool.images[which[:, None, None], y, x].float()[:, None] / shard.LEVELS
    return clean.clamp(min=DARKEST), pool.pixel_size[which], pool.disorder[which]
