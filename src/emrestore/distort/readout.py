"""Readout noise of a camera: thermal, flicker and reset noise (Eqs 34 to 36)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column, filtered


@dataclass(frozen=True)
class _Readout:
    """Additive noise of one standard deviation.

    Attributes
    ----------
    sigma
        Standard deviation [electrons].
    """

    sigma: Range

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``sigma`` [electrons] and the key of the noise."""
        return {
            "sigma": noise.between(noise.subkeys(keys, "sigma"), self.sigma),
            "key": noise.subkeys(keys, "field"),
        }


class Thermal(_Readout):
    """White noise of the circuits (Eq. 34)."""

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Add N(0, sigma) to each pixel."""
        return image + column(parameters["sigma"]) * noise.normal(parameters["key"], *image.shape[1:])


class Reset(_Readout):
    """One deviation of the reference voltage for each row (Eq. 36)."""

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Add N(0, sigma) to each row."""
        return image + column(parameters["sigma"]) * noise.normal(parameters["key"], 1, image.shape[-2], 1)


class Flicker(_Readout):
    """Pink noise (Eq. 35): amplitudes fall as 1/f in two dimensions, so the power spectrum as 1/f²."""

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Add the field, of expected variance sigma² and mean zero."""
        white = noise.normal(parameters["key"], *image.shape[1:])
        pink = filtered(white, amplitude(image.shape[-2:], image.device)[None, None])
        return image + column(parameters["sigma"]) * pink


def amplitude(shape: tuple[int, int], device: torch.device | None = None) -> Tensor:
    """Give the filter 1/f over the half plane of ``rfft2``, zero at f = 0, of unit mean square over the whole plane."""
    ny, nx = shape
    v = torch.fft.fftfreq(ny, device=device, dtype=torch.float64)[:, None]
    whole = torch.sqrt(v**2 + torch.fft.fftfreq(nx, device=device, dtype=torch.float64) ** 2)
    whole[0, 0] = torch.inf
    norm = torch.sqrt((whole**-2).mean())
    return (1 / whole[:, : nx // 2 + 1] / norm).float()
