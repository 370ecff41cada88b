"""Addressed noise for batches: every number is a function of its image's key and its own place, and of nothing else.

A counter-based generator (as in Salmon et al., SC '11) has no state that calls could advance. So a noise field is the
same whatever else is in the batch, on any number of threads, and, up to the rounding of elementary functions, on CPU
and GPU; an image is drawn again from the 64-bit keys among its stored parameters. ``torch.Generator`` gives none of
this for a batch: it would need one generator, and one call, for each image, and its streams differ between devices.

The generator is SplitMix64 (Steele, Lea & Flood, OOPSLA '14): the n-th number of key k is mix(k + n γ).
"""

import hashlib
import math
from collections.abc import Sequence

import torch
from torch import Tensor

GAMMA = 0x9E3779B97F4A7C15 - 2**64
MIX_1 = 0xBF58476D1CE4E5B9 - 2**64
MIX_2 = 0x94D049BB133111EB - 2**64
#: Mean below which the Poisson distribution is inverted by summing its terms.
SUMMED = 10.0


def keys(key: int, count: int, first: int = 0) -> Tensor:
    """Give the keys of images number ``first`` to ``first + count - 1`` of an address.

    Parameters
    ----------
    key
        Key of the address, see :func:`emrestore.rng.key`.
    count, first
        How many, and the number of the first.

    Returns
    -------
    Tensor
        (count,) int64.
    """
    return _mix(torch.arange(first + 1, first + count + 1) * GAMMA + key)


def subkeys(keys: Tensor, *address: str) -> Tensor:
    """Derive independent keys for a purpose, for example ``subkeys(keys, "jitter", "x")``.

    Parameters
    ----------
    keys
        (N,) int64, one key per image.
    address
        What the numbers are for.

    Returns
    -------
    Tensor
        (N,) int64.
    """
    digest = hashlib.sha256("/".join(address).encode()).digest()
    return _mix(keys ^ int.from_bytes(digest[:8], "little", signed=True))


def uniform(keys: Tensor, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw from the uniform distribution on the open interval (0, 1).

    Parameters
    ----------
    keys
        (N,) int64.
    shape
        Shape of the numbers of one key; none for one number.
    dtype
        float32 (23 random bits) or float64 (52).

    Returns
    -------
    Tensor
        (N, *shape).
    """
    count = math.prod(shape)
    places = torch.arange(count, device=keys.device)
    return _uniform(keys[:, None], places, 23 if dtype == torch.float32 else 52).to(dtype).view(len(keys), *shape)


def normal(keys: Tensor, *shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Draw from the standard normal distribution, by Box and Muller's transform in float32 or float64.

    Returns
    -------
    Tensor
        (N, *shape).
    """
    count = math.prod(shape)
    half = (count + 1) // 2
    u = uniform(keys, 2, half, dtype=dtype)
    radius = u[:, 0].log_().mul_(-2.0).sqrt_()
    angle = u[:, 1].mul_(2 * math.pi)
    both = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
    return both[:, :count].reshape(len(keys), *shape)


def exponential(keys: Tensor, *shape: int) -> Tensor:
    """Draw from the exponential distribution with mean one, (N, *shape)."""
    return uniform(keys, *shape, dtype=torch.float64).log_().neg_().float()


def choice(keys: Tensor, weights: Sequence[float], *shape: int) -> Tensor:
    """Draw indices with given weights, (N, *shape) int64."""
    edges = torch.tensor(weights, dtype=torch.float64, device=keys.device).cumsum(0)
    return torch.bucketize(uniform(keys, *shape, dtype=torch.float64), edges[:-1] / edges[-1])


def between(keys: Tensor, bounds: tuple[float, float], *shape: int) -> Tensor:
    """Draw uniformly between two bounds, (N, *shape)."""
    low, high = bounds
    return uniform(keys, *shape).mul_(high - low).add_(low)


def whole(keys: Tensor, bounds: tuple[int, int], *shape: int) -> Tensor:
    """Draw integers uniformly between two bounds, both included, (N, *shape) int64."""
    low, high = bounds
    return (low + (uniform(keys, *shape, dtype=torch.float64) * (high - low + 1)).floor_()).long()


def poisson(keys: Tensor, mean: Tensor) -> Tensor:
    """Draw from the Poisson distribution: its quantile at one uniform number of each pixel.

    Inversion makes a draw a monotone function of the mean, so that one key at two doses gives coupled noise.

    Parameters
    ----------
    keys
        (N,) int64.
    mean
        (N, ...) float32, finite and not negative.

    Returns
    -------
    Tensor
        (N, ...) float32 whole numbers.
    """
    flat = mean.reshape(len(keys), -1).double()
    number = uniform(keys, flat.shape[1], dtype=torch.float64)
    large = flat >= SUMMED
    if large.all():
        drawn = _expand(number, flat)
    elif not large.any():
        drawn = _sum(number, flat)
    else:
        drawn = torch.empty_like(flat)
        drawn[large] = _expand(number[large], flat[large])
        drawn[~large] = _sum(number[~large], flat[~large])
    return drawn.float().view(mean.shape)


def _sum(number: Tensor, mean: Tensor) -> Tensor:
    """Count the partial sums of the Poisson distribution that lie below a number."""
    term = torch.exp(-mean)
    left = number - term
    drawn = torch.zeros_like(mean)
    for value in range(1, 100):
        above = left > 0
        if not above.any():
            break
        drawn += above
        term.mul_(mean).div_(value)
        left -= term
    return drawn


def _expand(number: Tensor, mean: Tensor) -> Tensor:
    """Expand the quantile about the normal one, and decide by the exact distribution where that leaves a doubt.

    Terms as in Giles, ACM Transactions on Mathematical Software 42 (2016), from Cornish and Fisher. The doubt bounds
    the terms left out, and was found to for means from 10 and normal quantiles within 6; what exceeds it is mended too.
    """
    root = mean.sqrt()
    w = torch.special.ndtri(number)
    square = w * w
    position = (square / 270 + 7 / 810).mul_(square).sub_(8 / 405).div_(mean)
    position.add_(w * (square / 72 + 1 / 36) / root, alpha=-1).add_(square, alpha=1 / 6).add_(1 / 3)
    position.add_(w * root).add_(mean)
    drawn = position.ceil().sub_(1).clamp_(min=0)
    doubt = square.square_().mul_(w.abs_()).mul_(0.007).add_(0.02).div_(mean).div_(root)
    unsure = (position - position.round()).abs_() <= doubt
    exact, u, m = drawn[unsure], number[unsure], mean[unsure]
    while True:
        # the distribution function at k is the regularised incomplete gamma function Q(k + 1, mean)
        step = (u > torch.special.gammaincc(exact + 1, m)).double() - (u <= torch.special.gammaincc(exact, m)).double()
        if not step.any():
            break
        exact += step
    drawn[unsure] = exact
    return drawn


def _uniform(keys: Tensor, places: Tensor, bits: int) -> Tensor:
    """Give the numbers at these places of these keys: centres of 2^bits equal intervals of (0, 1), in float64."""
    return _shift(_mix((places + 1) * GAMMA + keys), 64 - bits).double().add_(0.5).mul_(2.0**-bits)


def _mix(z: Tensor) -> Tensor:
    """Mix the bits of int64 numbers: the output function of SplitMix64."""
    z = (z ^ _shift(z, 30)) * MIX_1
    z = (z ^ _shift(z, 27)) * MIX_2
    return z ^ _shift(z, 31)


def _shift(z: Tensor, bits: int) -> Tensor:
    """Shift right and fill with zeros, as for unsigned numbers."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)
