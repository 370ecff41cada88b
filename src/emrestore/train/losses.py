"""Losses of the generator (Eqs 4 to 14)."""

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
    padded = F.pad(images, (before, after, before, after), mode="reflect")
    mean = F.avg_pool2d(padded, window, stride=1)
    # about the image's own mean, so that a bright image loses no digits in the difference of squares
    centre = images.mean(dim=(-2, -1), keepdim=True)
    square = F.avg_pool2d((padded - centre) ** 2, window, stride=1)
    deviation = (square - (mean - centre) ** 2).clamp(min=0).sqrt()
    return (images - mean) / deviation.clamp(min=floor)
