"""Restoration behind one interface: networks, classical filters and, for comparison, no restoration at all.

A method is called with images (N, Y, X), finite float32 or float64, and a progress callback, and returns
float32 of the same shape. :data:`FILTERS` names those without weights; every other name is a network's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import numpy as np

from emrestore.errors import EmrestoreError

#: Edge in pixels of the smallest image that is restored: smaller ones hold nothing to learn a pixel's value
#: from.
MINIMUM_EDGE = 8

#: How much disorder a network is told to expect, over the most that it was trained with: how strongly it believes in a
#: lattice. Networks without such an input believe as their training taught them.
PRIORS = {"strong": 0.0, "balanced": 0.5, "honest": 1.0}

#: Called with the fraction done, 0 to 1, never decreasing.
Progress = Callable[[float], None]


class Method(Protocol):
    """A way to restore images."""

    #: What it is, in words: weights and their origin, precision, device.
    description: str

    def __call__(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Restore images (N, Y, X), float; gives float32 of the same shape."""


class Identity:
    """No restoration: the reference that every other method is held against."""

    description = "identity"

    def __call__(self, images: np.ndarray, progress: Progress) -> np.ndarray:
        """Give the images as float32."""
        return images.astype(np.float32)


def _bm3d() -> Method:
    """Open BM3D for Poisson counts; other gains through :class:`emrestore.restore.classical.Bm3d`."""
    from emrestore.restore.classical import Bm3d

    return Bm3d()


#: Methods without weights, by name.
FILTERS: dict[str, Callable[[], Method]] = {"identity": Identity, "bm3d": _bm3d}


def open_method(
    model: str = "hrstem",
    weights: str | Path = "auto",
    *,
    precision: str = "auto",
    tile: int | None = None,
    device: str = "auto",
    prior: str | float | None = None,
) -> Method:
    """Make a method ready for use; parameters as in :func:`restore`."""
    if model in FILTERS:
        if prior is not None or tile is not None or weights != "auto":
            raise EmrestoreError(f"{model} is no network and has no weights, tiles or prior; leave them out")
        return FILTERS[model]()
    from emrestore.restore.network import open_network

    return open_network(model, weights, precision=precision, tile=tile, device=device, prior=prior)


def restore(
    image: np.ndarray,
    model: str = "hrstem",
    weights: str | Path = "auto",
    *,
    precision: str = "auto",
    tile: int | None = None,
    device: str = "auto",
    prior: str | float | None = None,
    fast_axis: str = "x",
    progress: Progress | None = None,
    method: Method | None = None,
) -> np.ndarray:
    """Restore an image or a stack of images.

    Parameters
    ----------
    image
        (..., Y, X), real and finite, any unit and range; axis -1 is the fast scan axis, scanned left to
        right. Each image is restored by itself. A constant image is returned as it is.
    model
        ``hrstem``, ``lrstem``, ``hrtem``, ``lrtem``, ``hrsem``, ``lrsem`` (high or low resolution, and
        instrument), ``bm3d`` (for electron counts, see :mod:`emrestore.restore.classical`), or ``identity``.
    weights
        ``published`` (the authors', from the package tk_r_em), ``trained`` (ours), a safetensors file, or ``auto``: the
        published ones, unless a prior is asked for, which only ours can be told.
    precision
        ``fp32``; ``bf16``; or ``auto``: bf16 where the processor computes in it and the image is not
        too sparse (:data:`emrestore.restore.network.SPARSE`), else fp32. Numbers that have
        to be the same on every machine need an explicit one.
    tile
        Edge in pixels of what the network sees at once. None: the whole image, or tiles of 1152 for an image
        of more pixels than that. See :mod:`emrestore.restore.network` for the overlap and its error.
    device
        ``auto`` (CUDA where there is one, else the processor) or a name that PyTorch knows.
    prior
        How strongly a network believes in a lattice, for networks that can be told: ``strong``, ``balanced``,
        ``honest``, or the disorder to expect from 0 to 1. A result that changes with it depends on the belief.
    fast_axis
        ``x``, or ``y`` where the scan runs along axis -2: the images are transposed before and after.
    progress
        Called with the fraction done.
    method
        What :func:`open_method` gave, to restore many images with weights read once; model, weights,
        precision, tile, device and prior are then ignored.

    Returns
    -------
    numpy.ndarray
        float32, in the unit and shape of the input.

    Raises
    ------
    EmrestoreError
        If the image, an option or the weights cannot be used.
    """
    images = checked(image)
    if fast_axis not in ("x", "y"):
        raise EmrestoreError(f"the fast scan axis is x or y, not {fast_axis!r}")
    method = method or open_method(model, weights, precision=precision, tile=tile, device=device, prior=prior)
    progress = progress or (lambda fraction: None)
    shape = images.shape
    images = images.reshape(-1, *shape[-2:])
    if fast_axis == "y":
        return method(images.swapaxes(1, 2), progress).swapaxes(1, 2).reshape(shape)
    return method(images, progress).reshape(shape)


def checked(image: np.ndarray) -> np.ndarray:
    """Give an image as float32, or as float64 where its type needs it; refuse what is not an image.

    Raises
    ------
    EmrestoreError
        If it is complex, not of numbers, empty, too small, in colour, not finite, or beyond what float32 holds.
    """
    image = np.asarray(image)
    shape = image.shape
    if image.dtype.kind == "c":
        raise EmrestoreError("the image is complex; take its modulus or another real quantity")
    if image.dtype.kind not in "iuf":
        raise EmrestoreError(f"the image holds {image.dtype.name} values, not intensities; convert it to float32")
    if image.ndim < 2:
        raise EmrestoreError(f"an image has two axes (Y, X), or (N, Y, X) for a stack; this array is {shape}")
    if image.size == 0:
        raise EmrestoreError(f"the image is empty: its shape is {shape}")
    if image.ndim > 2 and shape[-1] in (3, 4):
        raise EmrestoreError(f"an array of shape {shape} looks like a colour image; convert it to greyscale (Y, X)")
    if min(shape[-2:]) < MINIMUM_EDGE:
        raise EmrestoreError(f"an image must be at least {MINIMUM_EDGE} x {MINIMUM_EDGE} pixels; this one is {shape}")
    image = image.astype(np.float32 if np.can_cast(image.dtype, np.float32) else np.float64, copy=False)
    bad = image.size - np.count_nonzero(np.isfinite(image))
    if bad:
        raise EmrestoreError(f"{bad} pixels are NaN or infinite; replace them, by a median of their neighbours say")
    if max(image.max(), -image.min()) > 1e37:  # a decade of room below float32's largest number
        raise EmrestoreError("the image holds values beyond 1e37, which float32 results cannot hold; scale it down")
    return image
