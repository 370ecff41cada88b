"""Gaussian blur of the saved, distorted image; restoration is to undo it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column
from emrestore.distort.resample import mirrored

#: Half width of the kernel over the standard deviation: what lies beyond is 6e-5 of a Gaussian.
REACH = 4


@dataclass(frozen=True)
class Blur:
    """A sampled Gaussian.

    Attributes
    ----------
    sigma
        Standard deviation [px].
    """

    sigma: Range

    stage: ClassVar[str] = "processing"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``sigma`` [px]."""
        return {"sigma": noise.between(keys, self.sigma)}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Convolve along both axes, the image mirrored at its borders."""
        sigma = parameters["sigma"]
        reach = max(1, int((REACH * sigma.max()).ceil()))
        offsets = torch.arange(-reach, reach + 1, device=image.device)
        kernel = torch.exp(-0.5 * (offsets / sigma[:, None].clamp(min=1e-3)) ** 2)
        # each image its own reach, so that what else is in the batch changes nothing
        kernel = torch.where(offsets.abs() <= (REACH * sigma[:, None]).ceil(), kernel, 0)
        kernel = kernel / kernel.cumsum(1)[:, -1:]
        for axis in (-2, -1):
            size = image.shape[axis]
            extended = mirrored(image, axis, reach)
            image = torch.zeros_like(image)
            for number in range(2 * reach + 1):
                image.addcmul_(column(kernel[:, number]), extended.narrow(axis, number, size))
        return image
