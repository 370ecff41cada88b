"""Fixed-pattern noise (Eq. 31): gains of pixels that flat-field correction has left."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column


@dataclass(frozen=True)
class FixedPattern:
    """A normal deviation of each pixel's gain.

    Attributes
    ----------
    sigma
        Standard deviation of the gain, relative.
    """

    sigma: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``sigma`` and the key of the pattern."""
        return {
            "sigma": noise.between(noise.subkeys(keys, "sigma"), self.sigma),
            "key": noise.subkeys(keys, "pattern"),
        }

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Multiply by 1 + N(0, sigma)."""
        return image * (1 + column(parameters["sigma"]) * noise.normal(parameters["key"], *image.shape[1:]))
