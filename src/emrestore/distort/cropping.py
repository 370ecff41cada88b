"""Cropping: what lies outside a central area is blank, in both images of a pair."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Scene, column


@dataclass(frozen=True)
class Cropping:
    """Borders of random width on random sides, along the edges of the image or, as of a turned image, aslant.

    Attributes
    ----------
    central
        Share of the image's area, in its centre, that is never touched: a rectangle of the image's proportions, or a
        disc where borders are aslant.
    side
        Probability of each side to be cropped.
    turned
        Probability that the borders are aslant.
    fill
        Weights of ``constant`` (uniform up to the greatest clean intensity) and ``median`` (of the clean image).
    """

    central: float
    side: float
    turned: float
    fill: dict[str, float]

    stage: ClassVar[str] = "processing"
    both: ClassVar[bool] = True

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw widths ``top``, ``bottom``, ``left``, ``right`` [px], ``angle`` of the borders to the axes [rad],

        ``distance`` (N, 4) of four aslant ones from the centre [px], ``level`` in units of the clean image. Borders are
        one or the other: aslant ones of images that are not turned lie beyond the corners.
        """
        widest = (1 - math.sqrt(self.central)) / 2
        width = noise.uniform(noise.subkeys(keys, "width"), 4) * widest
        cropped = noise.uniform(noise.subkeys(keys, "side"), 4) < self.side
        ny, nx = scene.shape
        pixels = (width * torch.tensor([ny, ny, nx, nx], device=keys.device)).ceil().long()
        limit = torch.tensor([int(widest * size) for size in (ny, ny, nx, nx)], device=keys.device)
        pixels = torch.where(cropped, torch.minimum(pixels, limit), 0)
        constant = noise.choice(noise.subkeys(keys, "fill"), (self.fill["constant"], self.fill["median"])) == 0
        level = noise.uniform(noise.subkeys(keys, "level")) * scene.maximum
        turned = noise.uniform(noise.subkeys(keys, "turned")) < self.turned
        drawn = dict(zip(("top", "bottom", "left", "right"), torch.where(turned, 0, pixels.T), strict=True))
        angle = torch.where(turned, noise.between(noise.subkeys(keys, "angle"), (0, math.pi / 2)), 0)
        # half the image's extent along the normals of the borders: of the first and third, and of the other two
        cos, sin = angle.cos(), angle.sin()
        extent = torch.stack([nx * cos + ny * sin, ny * cos + nx * sin], dim=1).repeat(1, 2) / 2
        radius = min(math.sqrt(self.central * ny * nx / math.pi), min(ny, nx) / 2)
        distance = radius + noise.uniform(noise.subkeys(keys, "distance"), 4) * (extent - radius)
        distance = torch.where(turned[:, None] & cropped, distance, math.hypot(ny, nx))
        return drawn | {"angle": angle, "distance": distance, "level": torch.where(constant, level, scene.median)}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Fill what is cropped."""
        ny, nx = image.shape[-2:]
        y = torch.arange(ny, device=image.device)[:, None]
        x = torch.arange(nx, device=image.device)
        top, bottom, left, right = (column(parameters[name]) for name in ("top", "bottom", "left", "right"))
        kept = (y >= top) & (y < ny - bottom) & (x >= left) & (x < nx - right)
        y, x = y - (ny - 1) / 2, x - (nx - 1) / 2
        cos, sin = column(parameters["angle"].cos()), column(parameters["angle"].sin())
        up, across = x * cos + y * sin, y * cos - x * sin
        for way, distance in zip((up, across, -up, -across), parameters["distance"].T, strict=True):
            kept &= way <= column(distance)
        return torch.where(kept, image, column(parameters["level"]))
