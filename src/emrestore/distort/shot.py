"""Exposure and shot noise (Eqs 30 and 45)."""

import math
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene


@dataclass(frozen=True)
class Exposure:
    """Mean dose of an image: the exponential distribution favours low doses (text above Eq. 30).

    Attributes
    ----------
    dose
        Least and greatest mean dose [electrons per pixel].
    scale
        Scale of the exponential distribution, truncated to the range.
    scale_unit
        ``"range"``: the scale is a fraction of the range's width; ``"electrons"``: it is a dose, and nearly every
        image has the least.
    """

    dose: Range
    scale: float
    scale_unit: str

    def sample(self, keys: Tensor, mean: Tensor) -> Tensor:
        """Draw electrons per pixel at unit intensity, α, for clean images of these means: (N,) to (N,)."""
        low, high = self.dose
        scale = self.scale * (high - low) if self.scale_unit == "range" else self.scale
        # inversion of the truncated distribution
        number = noise.uniform(keys).double()
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
