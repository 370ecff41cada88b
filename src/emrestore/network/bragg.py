"""What of an image repeats: Fourier components that stand out of the noise in windows, as in Bragg filtering.

A lattice whose columns drown in noise one by one still has peaks in the power spectrum, since a window of n pixels
holds n samples of it. Convolutions have to find that out again for every lattice; a Fourier transform knows. A network
that is given what stands out (:class:`emrestore.network.unet.Compact`, ``lattice``) has to decide only how far to
believe it.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

#: Power over that of the noise around it below which a Fourier component is left out: exp(-5) of those of white noise,
#: seven in a thousand, are above.
THRESHOLD = 5.0
#: Fourier components that the noise is averaged over, along either axis: wide against a peak, narrow against colour.
NEIGHBOURS = 16
#: Pixels that are averaged before the slow part of an image is taken from it: the network sees what varies slowly.
SLOW = 16
#: Mean of the logarithm of a unit exponential variable, which the power of noise is, is minus this.
EULER = 0.5772156649015329


@torch.no_grad()
def repeating(z: Tensor, window: int, threshold: float = THRESHOLD) -> Tensor:
    """Give what repeats in images: of each window, the Fourier components whose power exceeds that of the noise.

    Windows are the squares of a sine along either axis, half overlapping, which add up to one, so that a threshold of
    zero gives the whole image less its slow part. Components are scaled by 1 - threshold x noise / power, or are left
    out; the noise is the geometric mean of the power around them, which peaks hardly move.

    Parameters
    ----------
    z
        (N, 1, Y, X), standardised.
    window
        Edge of the windows [px], even.
    threshold
        Over the mean power of the noise.

    Returns
    -------
    Tensor
        (N, 1, Y, X).
    """
    hop, (height, width) = window // 2, z.shape[-2:]
    right, bottom = (hop + -edge % hop for edge in (width, height))
    taper = torch.sin(math.pi * (torch.arange(window, device=z.device, dtype=z.dtype) + 0.5) / window)
    taper = taper[:, None] * taper
    fast = functional.pad(z - _slow(z), (hop, right, hop, bottom))[:, 0]
    spectrum = torch.fft.rfft2(fast.unfold(1, window, hop).unfold(2, window, hop) * taper)
    power = spectrum.real**2 + spectrum.imag**2
    gain = (1 - threshold * _noise(power) / power.clamp(min=torch.finfo(z.dtype).tiny)).clamp(min=0)
    found = torch.fft.irfft2(spectrum * gain, s=(window, window)) * taper
    return _overlapped(found, hop)[:, None, hop : hop + height, hop : hop + width]


def _slow(z: Tensor) -> Tensor:
    """Give what varies over more than some :data:`SLOW` pixels."""
    shape = z.shape[-2:]
    if min(shape) <= SLOW:
        return z.mean(dim=(2, 3), keepdim=True)
    coarse = functional.avg_pool2d(z, SLOW, ceil_mode=True, count_include_pad=False)
    return functional.interpolate(coarse, shape, mode="bilinear")


def _noise(power: Tensor) -> Tensor:
    """Estimate the mean power of the noise around each Fourier component, (..., Y, X / 2 + 1)."""
    rows, columns = power.shape[-2:]
    # the axis of x begins at zero, that of y is rolled to run through it
    logarithm = power.clamp(min=torch.finfo(power.dtype).tiny).log().roll(rows // 2, -2).flatten(0, -3)[:, None]
    size = min(NEIGHBOURS, rows, columns)
    coarse = functional.avg_pool2d(logarithm, size, size // 2, size // 4, count_include_pad=False)
    smooth = functional.interpolate(coarse, (rows, columns), mode="bilinear")
    return (smooth[:, 0].view(power.shape) + EULER).exp().roll(-(rows // 2), -2)


def _overlapped(windows: Tensor, hop: int) -> Tensor:
    """Add windows (N, A, B, 2 hop, 2 hop) that overlap by half: (N, (A + 1) hop, (B + 1) hop)."""
    count, down, across = windows.shape[:3]
    total = windows.new_zeros(count, down + 1, hop, across + 1, hop)
    for y in range(2):
        for x in range(2):
            quarter = windows[..., y * hop : (y + 1) * hop, x * hop : (x + 1) * hop].transpose(2, 3)
            total[:, y : y + down, :, x : x + across] += quarter
    return total.view(count, (down + 1) * hop, (across + 1) * hop)
