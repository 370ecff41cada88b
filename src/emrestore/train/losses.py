"""Losses of generator and discriminator (Eqs 2 to 15), and one of our own."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

#: Windows of the multi-local whitening loss [px].
WINDOWS = (2, 4, 8, 16)


def whiten(images: Tensor, window: int, floor: float) -> Tensor:
    """Subtract the local mean and divide by the local standard deviation (Eq. 7).

    Parameters
    ----------
    images
        (N, 1, Y, X).
    window
        Edge S of the square window [px]. An even one has no centre: its pixels are those from -(S - 1) // 2 to S // 2
        about each pixel, which the paper leaves open.
    floor
        σ_min, in units of the images: where the local deviation is less, it divides instead.

    Returns
    -------
    Tensor
        (N, 1, Y, X). Images are mirrored at their borders.
    """
    before, after = (window - 1) // 2, window // 2
    # about the image's own mean, so that a bright image loses no digits in the difference of squares
    centred = images - images.mean(dim=(-2, -1), keepdim=True)
    padded = F.pad(centred, (before, after, before, after), mode="reflect")
    mean, square = (_window_sum(_window_sum(x, window, -1), window, -2) / window**2 for x in (padded, padded**2))
    # the floor goes under the root, whose gradient is infinite at zero
    deviation = (square - mean**2).clamp(min=floor**2).sqrt()
    return (centred - mean) / deviation


def _window_sum(x: Tensor, window: int, axis: int) -> Tensor:
    """Sum each ``window`` neighbours along an axis, by doubling: seven times as fast as pooling on a processor."""
    length = x.shape[axis] - window + 1
    total, summed, width = 0, 0, 1
    while True:
        if window & width:
            total, summed = total + x.narrow(axis, summed, length), summed + width
        if summed == window:
            return total
        rest = x.shape[axis] - width
        x, width = x.narrow(axis, 0, rest) + x.narrow(axis, width, rest), 2 * width


@dataclass(frozen=True)
class Weights:
    """Weights of the terms of the generator's loss (Eqs 13 and 14); a term of weight zero is not computed.

    Attributes
    ----------
    l1, l2
        Weighted absolute and squared differences (Eqs 4 and 6).
    whitening
        Multi-local whitening (Eq. 8).
    fourier
        Power of the differences' Fourier coefficients (Eq. 9).
    mean, std
        Mean and standard deviation of each image (Eqs 10 and 11).
    adversarial
        Relativistic adversarial term (Eq. 12).
    log_rmse
        Logarithm of each image's root mean square difference. Not in the paper, whose terms grow with an image's error,
        so that images whose noise leaves little to learn outweigh the others. Of the logarithm the gradient counts all
        images alike, whatever their dose, as a mean of PSNR does.
    """

    l1: float
    l2: float
    whitening: float
    fourier: float
    mean: float
    std: float
    adversarial: float
    log_rmse: float


@dataclass(frozen=True)
class Settings:
    """What the terms depend on.

    Attributes
    ----------
    floor
        σ_min of Eqs 5 and 7, in units of the clean images, whose maximum is one.
    power
        γ of Eq. 9.
    fourier_floor
        Magnitude of a Fourier coefficient, over that of white noise of standard deviation one, below which Eq. 9 is
        continued by a parabola, so that its gradient stays finite.
    log_floor
        Root mean square difference, over the clean image's standard deviation, far below which the logarithm no longer
        falls.
    windows
        Of Eq. 8 [px].
    """

    floor: float
    power: float
    fourier_floor: float
    log_floor: float
    windows: tuple[int, ...] = WINDOWS


def contrast_weight(clean: Tensor, floor: float) -> Tensor:
    """Give one over the standard deviation of each clean image, (N, 1, 1, 1) (Eq. 5)."""
    return 1 / clean.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp(min=floor)


def fourier_power(difference: Tensor, power: float, floor: float) -> Tensor:
    """Give E|F(d)|^γ with the orthonormal transform (Eq. 9).

    The printed form has an infinite gradient wherever a coefficient vanishes. Below ``floor`` the power is continued by
    the parabola that joins it with equal value and slope.

    Parameters
    ----------
    difference
        (N, 1, Y, X).
    power
        γ, from above 0 to 1.
    floor
        Magnitude of a coefficient; that of white noise of standard deviation one is one in the orthonormal transform.
    """
    coefficients = torch.fft.rfft2(difference.float(), norm="ortho")
    square = coefficients.real**2 + coefficients.imag**2
    # rfft2 gives half the plane: all columns but the first, and the last of an even width, stand for two
    width = difference.shape[-1]
    twice = torch.full((square.shape[-1],), 2.0, device=square.device)
    twice[0] = 1
    if width % 2 == 0:
        twice[-1] = 1
    small = square < floor**2
    above = torch.where(small, floor**2, square) ** (power / 2)
    below = floor**power * (1 - power / 2 + (power / 2) * square / floor**2)
    return (torch.where(small, below, above) * twice).mean(dim=(0, 1, 2)).sum() / width


def terms(restored: Tensor, clean: Tensor, weights: Weights, settings: Settings) -> dict[str, Tensor]:
    """Give the terms that have a weight, each without it: those of Eq. 13, and ``log_rmse``.

    Parameters
    ----------
    restored, clean
        (N, 1, Y, X).
    weights
        Of Eq. 13.
    settings
        What the terms depend on.

    Returns
    -------
    dict
        Name of a field of :class:`Weights` -> scalar.
    """
    difference = restored - clean
    scale = contrast_weight(clean, settings.floor)
    found = {}
    if weights.l1:
        found["l1"] = (scale * difference.abs()).mean()
    if weights.l2:
        # once, as printed: unlike the others this term grows with the contrast of an image
        found["l2"] = (scale * difference**2).mean()
    if weights.whitening:
        each = [
            (whiten(restored, window, settings.floor) - whiten(clean, window, settings.floor)).abs().mean()
            for window in settings.windows
        ]
        found["whitening"] = torch.stack(each).mean()
    if weights.fourier:
        found["fourier"] = fourier_power(difference, settings.power, settings.fourier_floor)
    if weights.mean:
        found["mean"] = difference.mean(dim=(1, 2, 3)).abs().mean()
    if weights.std:
        spread = [images.std(dim=(1, 2, 3), correction=0) for images in (restored, clean)]
        found["std"] = (spread[0] - spread[1]).abs().mean()
    if weights.log_rmse:
        square = ((scale * difference) ** 2).mean(dim=(1, 2, 3))
        found["log_rmse"] = 0.5 * (square + settings.log_floor**2).log().mean()
    return found


def total(found: dict[str, Tensor], weights: Weights) -> Tensor:
    """Sum terms with their weights (Eqs 13 and 14)."""
    return sum(getattr(weights, name) * term for name, term in found.items())


def relativistic(of: Tensor, against: Tensor) -> Tensor:
    """Give the logits of Eqs 2 and 3: how much more real patches look than the others do on average.

    The average is over the batch and its patches.
    """
    return of - against.mean()


def adversarial(real: Tensor, restored: Tensor) -> Tensor:
    """Give the generator's adversarial term (Eq. 12) from the discriminator's logits of patches.

    -log(1 - sigmoid(z)) = softplus(z) and -log(sigmoid(z)) = softplus(-z), which never overflow.
    """
    return F.softplus(relativistic(real, restored)).mean() + F.softplus(-relativistic(restored, real)).mean()


def discriminator(real: Tensor, restored: Tensor) -> Tensor:
    """Give the discriminator's loss (Eq. 15) from its logits of patches."""
    return F.softplus(-relativistic(real, restored)).mean() + F.softplus(relativistic(restored, real)).mean()
