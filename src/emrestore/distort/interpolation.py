"""Interpolation: the user has rotated, scaled or sheared the saved image, and the clean one with it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise, resample
from emrestore.distort.effect import Parameters, Range, Scene


@dataclass(frozen=True)
class Interpolation:
    """A random linear map about the image's centre, and a shift.

    Attributes
    ----------
    rotation
        Angle [degrees].
    scale
        Magnification along each axis.
    shear
        Off-diagonal element.
    shift
        Shift along each axis [px].
    """

    rotation: Range
    scale: Range
    shear: Range
    shift: Range

    stage: ClassVar[str] = "processing"
    both: ClassVar[bool] = True

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw the matrix ``yy, yx, xy, xx`` from places in the new image to places in the old, and ``y``, ``x``."""
        angle = noise.between(noise.subkeys(keys, "rotation"), self.rotation) * (math.pi / 180)
        scale_y, scale_x = noise.between(noise.subkeys(keys, "scale"), self.scale, 2).T
        shear = noise.between(noise.subkeys(keys, "shear"), self.shear)
        y, x = noise.between(noise.subkeys(keys, "shift"), self.shift, 2).T
        cos, sin = angle.cos(), angle.sin()
        return {
            "yy": cos / scale_y,
            "yx": -sin / scale_y,
            "xy": (sin + shear * cos) / scale_x,
            "xx": (cos - shear * sin) / scale_x,
            "y": y,
            "x": x,
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Resample with cubic convolution."""
        ny, nx = image.shape[-2:]
        y = (torch.arange(ny, device=image.device) - (ny - 1) / 2)[:, None]
        x = torch.arange(nx, device=image.device) - (nx - 1) / 2
        yy, yx, xy, xx, dy, dx = (parameters[name].view(-1, 1, 1) for name in ("yy", "yx", "xy", "xx", "y", "x"))
        return resample.at(image, yy * y + yx * x + (dy + (ny - 1) / 2), xy * y + xx * x + (dx + (nx - 1) / 2))
