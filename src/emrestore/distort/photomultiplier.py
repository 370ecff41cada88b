"""Pulse heights of scintillator and photomultiplier (Eqs 43, 44, 46)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, column

STATISTICS = ("per electron", "constant")


@dataclass(frozen=True)
class Photomultiplier:
    """The anode charge of an electron varies; that of n electrons n times as much in variance.

    Attributes
    ----------
    photons
        Photons collected per incident electron, m_c.
    photons_variance
        Variance of that number over its mean, δ_c² / m_c (1 for Poisson).
    quantum_efficiency
        Photoelectrons per photon, η.
    secondary_gain
        Gain of one dynode, δ.
    gain
        Anode electrons per photoelectron, G. Cancels for ``"per electron"``.
    statistics
        ``"per electron"``: variance n (σ / m_c η G)² for n electrons, in electrons; ``"constant"``: Eq. 46 as printed,
        one σ in anode electrons for every pixel, added to incident electrons.
    """

    photons: Range
    photons_variance: float
    quantum_efficiency: Range
    secondary_gain: Range
    gain: float
    statistics: str

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``width``, the relative width of a pulse (per electron) or σ (constant), and the key of the noise."""
        photons = noise.between(noise.subkeys(keys, "photons"), self.photons)
        efficiency = noise.between(noise.subkeys(keys, "efficiency"), self.quantum_efficiency)
        secondary = noise.between(noise.subkeys(keys, "secondary"), self.secondary_gain)
        width = relative_width(photons, efficiency, secondary, self.photons_variance * photons)
        per_electron = torch.full_like(keys, self.statistics == "per electron", dtype=torch.bool)
        if self.statistics == "constant":
            width = width * photons * efficiency * self.gain
        return {"width": width, "per_electron": per_electron, "key": noise.subkeys(keys, "pulses")}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Add the Gaussian approximation of the pulse heights' sum."""
        field = noise.normal(parameters["key"], *image.shape[1:])
        spread = torch.where(column(parameters["per_electron"]), image.clamp(min=0).sqrt(), 1.0)
        return image + column(parameters["width"]) * spread * field


def relative_width(photons: Tensor, efficiency: Tensor, secondary: Tensor, variance: Tensor) -> Tensor:
    """Give the standard deviation of one electron's pulse over its mean: Eq. 44 over m_c η G."""
    return torch.sqrt((1 - efficiency + 1 / (secondary - 1)) / (photons * efficiency) + variance / photons**2)
