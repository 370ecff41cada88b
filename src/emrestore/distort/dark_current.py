"""Dark current, its non-uniformity and its shot noise (Eqs 32, 33)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column


@dataclass(frozen=True)
class DarkCurrent:
    """Log-normal currents of the pixels, a few of them hot, drawn as Poisson counts.

    Attributes
    ----------
    mean
        Mean μ of the log-normal current [electrons per pixel].
    spread
        Its standard deviation σ over μ.
    hot_fraction
        Share of hot pixels, whose current is uniform between μ + 5σ and μ + 8σ on top. Eq. 32 as printed adds that to
        every pixel: a share of 1.
    """

    mean: Range
    spread: Range
    hot_fraction: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``mean``, ``deviation`` [electrons], ``hot_fraction``, the camera's key and that of the frame."""
        mean = noise.between(noise.subkeys(keys, "mean"), self.mean)
        return {
            "mean": mean,
            "deviation": mean * noise.between(noise.subkeys(keys, "spread"), self.spread),
            "hot_fraction": noise.between(noise.subkeys(keys, "hot"), self.hot_fraction),
            "camera": noise.subkeys(keys, "camera"),
            "key": noise.subkeys(keys, "frame"),
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Add the Poisson counts of the dark current."""
        return image + noise.poisson(parameters["key"], nonuniformity(parameters, image.shape[1:]))


def nonuniformity(parameters: Parameters, shape: tuple[int, ...]) -> Tensor:
    """Give the mean dark current of each pixel (Eq. 32), (N, *shape) [electrons]."""
    mean, deviation = column(parameters["mean"]), column(parameters["deviation"])
    # μ and σ are of the current; these are of its logarithm
    log_variance = torch.log1p((deviation / mean.clamp(min=1e-30)) ** 2)
    normal = noise.normal(noise.subkeys(parameters["camera"], "body"), *shape)
    body = mean * torch.exp(log_variance.sqrt() * normal - log_variance / 2)
    hot = noise.uniform(noise.subkeys(parameters["camera"], "hot"), *shape) < column(parameters["hot_fraction"])
    excess = mean + deviation * (5 + 3 * noise.uniform(noise.subkeys(parameters["camera"], "excess"), *shape))
    return body + hot * excess
