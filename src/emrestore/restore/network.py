"""Restore with a network: standardisation, padding, tiles, batches, precision, device.

The network standardises what it is given by ``max(std, 0.1)``. That floor is in the units of the electron
counts it was trained on; an image scaled to 0 ... 1 would fall below it and be restored badly, and
restoration would depend on the unit. Here an image's standard deviation is brought to 1 before and undone
after, in float64, so the floor never acts and ``restore(a * image + b) = a * restore(image) + b`` for a > 0,
whatever its range. Mean and deviation are those of the whole image, also where it is cut into tiles.

Tiles overlap. The network's receptive radius (261 px at the published size) bounds the overlap that would be
exact, but nearly all of its answer comes from much nearer; see :data:`OVERLAP`.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise, product
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import nn

from emrestore import authors
from emrestore.errors import EmrestoreError
from emrestore.network import published
from emrestore.network import weights as weights_file
from emrestore.network.restorer import computes_bfloat16, padded_to
from emrestore.restore import PRIORS, Progress

#: Pixels of small images that a processor takes at once. Feature maps then stay below 32 MB, up to which malloc reuses
#: memory instead of asking the system for fresh pages: one batch of 8 x 256 x 256 takes 1.6 times as long as 8 images.
BATCH_PIXELS = 256 * 256
#: Images of more pixels are cut into tiles, of DEFAULT_TILE unless the user says otherwise: 1.4 kB a pixel in float32.
WHOLE_PIXELS = 1152 * 1152
DEFAULT_TILE = 1152
#: Pixels that a tile sees beyond those it gives. Measured with hrstem on two experimental HAADF images, in standard
#: deviations of the restored image: seams of at most 0.15 % (root mean square 0.004 %), where 64 px give 5 %.
OVERLAP = 128
#: Edge of the smallest tile: at least half of what it sees along an axis is then its own.
MINIMUM_TILE = 4 * OVERLAP

#: ``auto`` takes bfloat16 for images in which at least this share of pixels lies above the lowest value, and float32
#: for sparser ones. Measured on the images of Fig. 3 (benchmarks/precision.py, results in benchmarks/results.csv):
#: bfloat16 moves fitted positions and cross sections by 2 to 3 % of their statistical error (median of 48 conditions),
#: and by less than a tenth in all but two, where it is up to a third. Those have 0.015 and 0.026 electrons a pixel,
#: twenty times fewer than the networks were trained on.
SPARSE = 0.05


@dataclass(frozen=True)
class NetworkMethod:
    """A network ready to restore, see :func:`open_network`."""

    network: nn.Module
    description: str
    tile: int | None
    device: torch.device
    #: How much disorder a conditional network is to expect, from 0 to 1.
    disorder: float = 0.0
    #: Takes the images that are too sparse for bfloat16, see :data:`SPARSE`.
    for_sparse: Self | None = None

    def __call__(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Restore images (N, Y, X), float; gives float32 of the same shape."""
        if self.for_sparse is not None:
            sparse = (images > images.min(axis=(1, 2), keepdims=True)).mean(axis=(1, 2)) < SPARSE
            if sparse.any():
                restored, share = np.empty(images.shape, np.float32), sparse.mean()
                restored[sparse] = self.for_sparse(images[sparse], lambda done: progress(share * done))
                if not sparse.all():
                    others = replace(self, for_sparse=None)
                    restored[~sparse] = others(images[~sparse], lambda done: progress(share + (1 - share) * done))
                return restored
        count, *shape = images.shape
        multiple = self.network.multiple
        tile = self.tile or (DEFAULT_TILE if shape[0] * shape[1] > WHOLE_PIXELS else max(shape) + multiple)
        windows = list(product(*(spans(edge, tile, OVERLAP, multiple) for edge in shape)))
        limit = BATCH_PIXELS if self.device.type == "cpu" else WHOLE_PIXELS
        size = max(1, limit // min(shape[0] * shape[1], tile**2))
        starts = range(0, count, size)
        restored = np.empty(images.shape, np.float32)
        with torch.inference_mode(), _counted(self.network, len(starts) * len(windows), progress):
            for start in starts:
                batch = slice(start, start + size)
                restored[batch] = self._restore(images[batch], windows)
        return restored

    def _restore(self, images: np.ndarray, windows: list) -> np.ndarray:
        """Restore one batch, window by window."""
        mean = images.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
        std = images.std(axis=(1, 2), keepdims=True, dtype=np.float64)
        constant = images.min(axis=(1, 2), keepdims=True) == images.max(axis=(1, 2), keepdims=True)
        z = torch.from_numpy(((images - mean) / np.where(constant, 1, std)).astype(np.float32))[:, None]
        height, width = z.shape[2:]
        z = padded_to(z, self.network.multiple).to(self.device)
        seen = self.network.seen(z, torch.full((len(z),), self.disorder, device=self.device))
        out = torch.empty_like(z)
        # full float32: by default CUDA convolutions round their factors to 10 bits
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for (see_y, give_y), (see_x, give_x) in windows:
                part = self.network.restore_seen(seen[:, :, see_y, see_x])
                inner = [slice(g.start - s.start, g.stop - s.start) for s, g in ((see_y, give_y), (see_x, give_x))]
                out[:, :, give_y, give_x] = part[:, :, *inner]
        restored = out[:, 0, :height, :width].cpu().numpy() * std + mean
        return np.where(constant, images, restored)


def open_network(
    model: str,
    weights: str | Path = "auto",
    *,
    precision: str = "auto",
    tile: int | None = None,
    device: str = "auto",
    prior: str | float | None = None,
) -> NetworkMethod:
    """Read a network's weights and make it ready for use; parameters as in :func:`emrestore.restore.restore`.

    Raises
    ------
    EmrestoreError
        If the weights, the precision, the tile or the device cannot be used.
    """
    if tile is not None and tile < MINIMUM_TILE:
        raise EmrestoreError(
            f"a tile must be at least {MINIMUM_TILE} pixels wide, for an overlap of {OVERLAP}, not {tile}"
        )
    if precision not in ("fp32", "bf16", "auto"):
        raise EmrestoreError(f"precision is fp32, bf16 or auto, not {precision!r}")
    place = _device(device)
    if weights == "auto":
        # only networks of ours can be told
        weights = "published" if prior is None else "trained"
    disorder = _disorder("strong" if prior is None else prior)
    network, origin = _read(model, weights, prior is not None)
    if network.conditional:
        origin += f", prior {prior or 'strong'}"
    elif prior is not None:
        raise EmrestoreError(f"{origin} cannot be told how strongly to believe in a lattice; leave out the prior")
    # channels last is two to three times faster than PyTorch's default layout on processors
    network = network.to(place, memory_format=torch.channels_last)
    exact = NetworkMethod(network, f"{model}, {origin}, fp32 on {place.type}", tile, place, disorder)
    if precision == "fp32" or (precision == "auto" and not computes_bfloat16(place)):
        return exact
    reduced = copy.deepcopy(network).use_bfloat16()
    for_sparse = exact if precision == "auto" else None
    return NetworkMethod(reduced, f"{model}, {origin}, bf16 on {place.type}", tile, place, disorder, for_sparse)


def _disorder(prior: str | float) -> float:
    """Give how much disorder a prior expects, from 0 to 1."""
    if prior in PRIORS:
        return PRIORS[prior]
    try:
        disorder = float(prior)
    except ValueError:
        disorder = -1.0
    if not 0 <= disorder <= 1:
        raise EmrestoreError(f"a prior is {', '.join(PRIORS)}, or a number from 0 to 1, not {prior!r}")
    return disorder


def spans(edge: int, tile: int, overlap: int, multiple: int = 2) -> list[tuple[slice, slice]]:
    """Cut an axis into as few overlapping tiles of equal size as will do.

    Parameters
    ----------
    edge, tile, overlap
        Length of the axis, most that a tile may see, and pixels that it must see beyond those it gives.
    multiple
        Tiles begin at multiples of this, where the network's coarsest pixels begin, and the axis is continued to one.
        It divides twice the overlap.

    Returns
    -------
    list of (slice, slice)
        What each tile sees, and the part of it that it gives. The parts given cover the axis once; neighbours
        meet in the middle of what both see.
    """
    edge, tile = edge + -edge % multiple, tile - tile % multiple
    if edge <= tile:
        return [(slice(0, edge), slice(0, edge))]
    count = -(-(edge - 2 * overlap) // (tile - 2 * overlap))
    seen = multiple * -(-(edge + 2 * overlap * (count - 1)) // (multiple * count))
    starts = [(edge - seen) * i // (multiple * (count - 1)) * multiple for i in range(count)]
    seams = [0, *((left + seen + right) // 2 for left, right in pairwise(starts)), edge]
    return [(slice(at, at + seen), slice(*give)) for at, give in zip(starts, pairwise(seams), strict=True)]


def _read(model: str, weights: str | Path, told: bool) -> tuple[nn.Module, str]:
    """Give a network, one that can be ``told`` a prior or any, and its origin in words."""
    if weights == "published":
        if authors.package_folder() is None and weights_file.shipped(model) is not None:
            raise EmrestoreError(
                f"the published weights come with the package {authors.PACKAGE} ({authors.HOW_TO_GET}), "
                "which is not installed; to restore with a network of ours choose the weights 'trained'"
            )
        return published.load(model), f"published weights ({authors.PACKAGE} {authors.VERSION})"
    if weights == "trained":
        weights = weights_file.shipped(model)
        if weights is None:
            published.check_modality(model)
            raise EmrestoreError(
                f"a prior needs a network of ours for {model}, and none is here; leave the prior out"
                if told
                else f"no weights of ours are here for {model}; take the published ones, or a file of weights"
            )
    network, metadata = weights_file.load(Path(weights))
    if metadata.get("model") != model:
        raise EmrestoreError(f"{weights} holds weights for {metadata.get('model')}, not for {model}")
    return network, f"weights {weights}"


def _device(name: str) -> torch.device:
    """Give a device that works."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(1, device=name).device
    except (RuntimeError, AssertionError) as error:
        raise EmrestoreError(f"there is no device {name!r} here; use cpu, or auto") from error


@contextmanager
def _counted(network: nn.Module, passes: int, progress: Progress) -> Iterator[None]:
    """Report progress convolution by convolution: a single pass may take a minute."""
    convolutions = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]
    done = 0

    def count(*_) -> None:
        nonlocal done
        done += 1
        progress(done / (passes * len(convolutions)))

    hooks = [convolution.register_forward_hook(count) for convolution in convolutions]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
