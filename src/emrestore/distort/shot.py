"""Exposure and shot noise (Eqs 30 and 45)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene


@dataclass(frozen=True)
class Exposure:
    """Mean dose of an image.

    Attributes
    ----------
    dose
        Least and greatest mean dose [electrons per pixel].
    law
        ``"exponential"``, truncated to the range, favours low doses (text above Eq. 30); ``"log-uniform"`` gives every
        decade as many.
    scale
        Of the exponential law.
    scale_unit
        ``"range"``: the scale is a fraction of the range's width; ``"electrons"``: it is a dose, and nearly every
        image has the least.
    """

    dose: Range
    law: str
    scale: float
    scale_unit: str

    def sample(self, keys: Tensor, mean: Tensor) -> Tensor:
        """Draw electrons per pixel at unit intensity, α, for clean images of these means: (N,) to (N,)."""
        low, high = self.dose
        number = noise.uniform(keys).double()
        if self.law == "log-uniform":
            dose = low * (high / low) ** number
        else:
            scale = self.scale * (high - low) if self.scale_unit == "range" else self.scale
            # inversion of the truncated distribution
            dose = low - scale * (-number * -math.expm1(-(high - low) / scale)).log1p()
        return (dose.clamp(low, high) / mean).float()


@dataclass(frozen=True)
class Shot:
    """Electrons arrive independently: Poisson."""

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw the key of the noise."""
        return {"key": keys}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Draw whole electrons; negative overshoot of a resampling counts as none."""
        return noise.poisson(parameters["key"], image.clamp(min=0))
