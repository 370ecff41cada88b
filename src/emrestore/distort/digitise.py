"""Saturation (Eqs 39, 54), values below zero and analogue-to-digital conversion (Eqs 40, 55)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column


@dataclass(frozen=True)
class Saturation:
    """Intensities above a threshold are clipped.

    Attributes
    ----------
    level
        Threshold T_u over the greatest clean intensity.
    """

    level: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``level`` [electrons]."""
        return {"level": noise.between(keys, self.level) * scene.electrons * scene.maximum}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Clip."""
        return torch.minimum(image, column(parameters["level"]))


@dataclass(frozen=True)
class Rectification:
    """Negative values, which noise makes of dark pixels, become positive ones or zero.

    Either raises the mean of a dark image. Not in the paper; images that come with its software show folded noise.

    Attributes
    ----------
    fold
        Probability that they change sign; otherwise they become zero.
    """

    fold: float

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``folded``, whether they change sign."""
        return {"folded": noise.uniform(keys) < self.fold}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Fold or clip at zero."""
        return torch.where(column(parameters["folded"]), image.abs(), image.clamp(min=0))


@dataclass(frozen=True)
class Quantisation:
    """Rounding to the steps of a converter; the image keeps its unit.

    Attributes
    ----------
    bits
        Bit depths, one of which is drawn.
    headroom
        Intensity of the highest step over the greatest clean one. It sets the size of a step; clipping is a matter of
        :class:`Saturation`.
    """

    bits: tuple[int, ...]
    headroom: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``step``, the inverse of the converter's gain [electrons]."""
        steps = torch.tensor([2.0**bits - 1 for bits in self.bits], device=keys.device)
        chosen = steps[noise.whole(noise.subkeys(keys, "bits"), (0, len(self.bits) - 1))]
        full = noise.between(noise.subkeys(keys, "headroom"), self.headroom) * scene.electrons * scene.maximum
        return {"step": full / chosen}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Round to whole steps."""
        step = column(parameters["step"])
        return torch.round(image / step) * step
