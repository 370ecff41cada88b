"""What all effects share: the scene they draw from, their form, and sums that do not depend on the batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import torch
from torch import Tensor

Parameters = dict[str, Tensor]
Range = tuple[float, float]


@dataclass(frozen=True)
class Scene:
    """What a batch of clean images tells the effects that draw their parameters.

    Attributes
    ----------
    shape
        (Y, X) [px].
    pixel_size
        (N,) edge of a pixel [Å].
    maximum, median
        (N,) of the clean intensity.
    electrons
        (N,) electrons per pixel at unit intensity, the α of Eqs 30 and 45.
    """

    shape: tuple[int, int]
    pixel_size: Tensor
    maximum: Tensor
    median: Tensor
    electrons: Tensor


class Effect(Protocol):
    """One distortion: a dataclass whose fields are the ranges that its parameters are drawn from.

    Attributes
    ----------
    stage
        ``"specimen"``: acts on the clean image before exposure, and so on both images of a pair; ``"recording"``:
        acts on electrons per pixel; ``"processing"``: acts after the image is saved, in units of the clean image.
    both
        Whether it acts on the clean image as well, so that restoration shall preserve it.
    """

    stage: ClassVar[str]
    both: ClassVar[bool]

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw parameters: (N,) keys in, tensors with N rows out."""

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Impose parameters on (N, 1, Y, X) images, without changing the argument."""


def column(values: Tensor) -> Tensor:
    """Shape one number per image so that it broadcasts over (N, 1, Y, X)."""
    return values.reshape(-1, 1, 1, 1)


def select(parameters: Parameters, images: Tensor) -> Parameters:
    """Keep the parameters of some images, given by number or mask."""
    return {name: values[images] for name, values in parameters.items()}


def by_kind(image: Tensor, parameters: Parameters, name: str, kinds: Sequence[Callable]) -> Tensor:
    """Apply to each image the function that its parameter ``name`` numbers, as if it were alone."""
    out = torch.empty_like(image)
    for number, function in enumerate(kinds):
        chosen = parameters[name] == number
        if chosen.all():
            return function(image, parameters)
        if chosen.any():
            out[chosen] = function(image[chosen], select(parameters, chosen))
    return out


def total(images: Tensor) -> Tensor:
    """Sum the pixels of each image in a fixed order, (N, ...) to (N,).

    ``torch.sum`` orders its additions by batch size and thread count; halving again and again does not.
    """
    flat = images.reshape(len(images), -1).double()
    while flat.shape[1] > 1:
        half = (flat.shape[1] + 1) // 2
        flat = torch.cat([flat[:, : flat.shape[1] - half] + flat[:, half:], flat[:, flat.shape[1] - half : half]], 1)
    return flat[:, 0]


def filtered(images: Tensor, response: Tensor) -> Tensor:
    """Multiply the spectra of images (N, 1, Y, X) by a response (N or 1, 1, Y, X / 2 + 1), one image after the other.

    Inverse transforms of a batch and of a single image differ in the last bit on some processors (MKL).
    """
    response = response.expand(len(images), -1, -1, -1)
    shape = images.shape[-2:]
    return torch.stack(
        [
            torch.fft.irfft2(torch.fft.rfft2(image) * factor, s=shape)
            for image, factor in zip(images, response, strict=True)
        ]
    )
