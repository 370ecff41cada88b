"""Fast-scan distortion (Eqs 47 to 50): detector and readout lag behind the beam.

Support and normalisation are not those printed. The tail follows the beam (x >= 0), since for x <= 0 the response would
precede its cause and the oscillation grow without bound. Eq. 48 integrates to 1/4 over the half line and gets a factor
4; the factor that normalises Eq. 49 is (γ² + 4π²β²) / (βγ (γ sin θ + 2πβ cos θ)).

A response is imposed as a pixel sees it: the beam's signal is constant during a dwell, and the output is averaged over
one. The weight of the signal k pixels ago is then the second difference at k of the response integrated twice.
"""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, by_kind

FLYBACKS = ("parked", "none")


@dataclass(frozen=True)
class FastScan:
    """Lag of detector (a half Lorentzian) and readout (a damped oscillation).

    Attributes
    ----------
    dwell_time
        Dwell time of a pixel [µs], drawn log-uniformly; all lengths in pixels are times over it.
    detector_time
        Half width at half maximum of the detector's response, α / 2π of Eq. 48 [µs].
    decay_time
        Decay time of the readout, β of Eq. 49 [µs].
    period
        Period of the readout, γ of Eq. 49 [µs].
    phase
        Phase of the readout, θ of Eq. 49 [rad], within [0, π/2].
    readout
        Whether the readout lags at all; without it, Eq. 48 alone.
    flyback
        ``"parked"``: the beam waits at the first pixel of a row until detector and readout have settled; ``"none"``:
        the tail of a row's end falls on the start of the next.
    current
        Greatest current of the beam [e/µs]: pixels dwell at least as long as the electrons of the clean image's
        brightest pixel take to arrive, longer than ``dwell_time`` says where they must. None: any dose in any time.
    """

    dwell_time: Range
    detector_time: Range
    decay_time: Range
    period: Range
    phase: Range
    readout: bool
    flyback: str
    current: float | None = None

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``detector``, ``decay``, ``period`` [px], ``phase`` [rad], ``readout``, ``flyback``, ``dwell_time``."""
        dwell = self._dwell(noise.subkeys(keys, "dwell"), scene)
        return {
            "dwell_time": dwell,
            "detector": noise.between(noise.subkeys(keys, "detector"), self.detector_time) / dwell,
            "decay": noise.between(noise.subkeys(keys, "decay"), self.decay_time) / dwell,
            "period": noise.between(noise.subkeys(keys, "period"), self.period) / dwell,
            "phase": noise.between(noise.subkeys(keys, "phase"), self.phase),
            "readout": torch.full_like(keys, self.readout, dtype=torch.bool),
            "flyback": torch.full_like(keys, FLYBACKS.index(self.flyback)),
        }

    def _dwell(self, keys: Tensor, scene: Scene) -> Tensor:
        if self.current is None:
            return noise.between(keys, tuple(math.log(time) for time in self.dwell_time)).exp()
        arrival = scene.electrons * scene.maximum / self.current
        shortest, longest = (arrival.clamp(min=time).log() for time in self.dwell_time)
        return noise.between(keys, (shortest, longest)).exp()

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Convolve along the fast axis."""
        return by_kind(image, parameters, "flyback", (_convolve_rows, _convolve_raster))


def _convolve_rows(image: Tensor, parameters: Parameters) -> Tensor:
    return _convolve(image, image[..., :1], parameters)


def _convolve_raster(image: Tensor, parameters: Parameters) -> Tensor:
    # before a row the row above it was read, and before that the beam waited
    previous = torch.cat([image[..., :1, :1].expand_as(image[..., :1, :]), image[..., :-1, :]], dim=-2)
    return _convolve(torch.cat([previous, image], dim=-1), previous[..., :1], parameters)[..., image.shape[-1] :]


def _convolve(line: Tensor, rest: Tensor, parameters: Parameters) -> Tensor:
    """Convolve rows; what the beam rested on passes unchanged, however long the tail."""
    length = line.shape[-1]
    kernel = response(parameters, length)[:, None, None]
    spectrum = torch.fft.rfft(line - rest, n=2 * length) * torch.fft.rfft(kernel, n=2 * length)
    return rest + torch.fft.irfft(spectrum, n=2 * length)[..., :length]


def response(parameters: Parameters, length: int) -> Tensor:
    """Give the weights of the signals 0, 1, ... pixels ago, (N, length) float32; all weights together are one."""
    detector = _detector(parameters["detector"].double(), length)
    readout = _readout(*(parameters[name].double() for name in ("decay", "period", "phase")), length)
    both = torch.fft.irfft(torch.fft.rfft(detector, n=2 * length) * torch.fft.rfft(readout, n=2 * length))
    return torch.where(parameters["readout"][:, None], both[:, :length], detector).float()


def _detector(width: Tensor, length: int) -> Tensor:
    """Eq. 48, width = α / 2π: (2 / π) width / (x² + width²), integrated twice in closed form."""
    x = torch.arange(length + 1, device=width.device, dtype=torch.float64)
    width = width[:, None]
    return _second_difference((2 / math.pi) * (x * torch.atan2(x, width) - width / 2 * torch.log1p((x / width) ** 2)))


def _readout(decay: Tensor, period: Tensor, phase: Tensor, length: int) -> Tensor:
    """Eq. 49 as the imaginary part of a complex exponential, integrated twice in closed form."""
    x = torch.arange(length + 1, device=decay.device, dtype=torch.float64)
    rate = torch.complex(1 / decay, -2 * math.pi / period)[:, None]
    wave = torch.polar(torch.ones_like(phase), phase)[:, None]
    norm = (wave / rate).imag
    return _second_difference((wave * (x / rate - (1 - torch.exp(-rate * x)) / rate**2)).imag / norm)


def _second_difference(twice: Tensor) -> Tensor:
    """Average over the dwells of cause and effect: F(k+1) - 2 F(k) + F(k-1), F being zero before the beam came."""
    first = torch.diff(twice, prepend=torch.zeros_like(twice[:, :1]))
    return torch.diff(first)
