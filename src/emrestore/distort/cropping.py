"""Cropping: strips outside a central area are blank, in both images of a pair."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Scene, column


@dataclass(frozen=True)
class Cropping:
    """Borders of random width on random sides.

    Attributes
    ----------
    central
        Share of the image's area, in its centre, that is never touched.
    side
        Probability of each side to be cropped.
    fill
        Weights of ``constant`` (uniform up to the greatest clean intensity) and ``median`` (of the clean image).
    """

    central: float
    side: float
    fill: dict[str, float]

    stage: ClassVar[str] = "processing"
    both: ClassVar[bool] = True

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw widths ``top``, ``bottom``, ``left``, ``right`` [px] and ``level``, in units of the clean image."""
        widest = (1 - math.sqrt(self.central)) / 2
        width = noise.uniform(noise.subkeys(keys, "width"), 4) * widest
        cropped = noise.uniform(noise.subkeys(keys, "side"), 4) < self.side
        ny, nx = scene.shape
        pixels = (width * torch.tensor([ny, ny, nx, nx], device=keys.device)).ceil().long()
        limit = torch.tensor([int(widest * size) for size in (ny, ny, nx, nx)], device=keys.device)
        pixels = torch.where(cropped, torch.minimum(pixels, limit), 0)
        constant = noise.choice(noise.subkeys(keys, "fill"), (self.fill["constant"], self.fill["median"])) == 0
        level = noise.uniform(noise.subkeys(keys, "level")) * scene.maximum
        drawn = dict(zip(("top", "bottom", "left", "right"), pixels.T, strict=True))
        return drawn | {"level": torch.where(constant, level, scene.median)}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Fill the strips."""
        ny, nx = image.shape[-2:]
        y = torch.arange(ny, device=image.device)[:, None]
        x = torch.arange(nx, device=image.device)
        top, bottom, left, right = (column(parameters[name]) for name in ("top", "bottom", "left", "right"))
        kept = (y >= top) & (y < ny - bottom) & (x >= left) & (x < nx - right)
        return torch.where(kept, image, column(parameters["level"]))
