"""Modulation transfer of a camera (Eqs 27 to 29), part of the clean TEM image: restoration does not undo it."""

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise
from emrestore.distort.effect import Parameters, Range, Scene, filtered
from emrestore.errors import EmrestoreError

TRIES = 64


@dataclass(frozen=True)
class Mtf:
    """Two Gaussians over the radius in Fourier space, and the area of a pixel.

    Attributes
    ----------
    a
        Weight of the first Gaussian; above 1 the second is negative.
    b, c
        Widths of the two [Nyquist frequencies].
    """

    a: Range
    b: Range
    c: Range

    stage: ClassVar[str] = "specimen"
    both: ClassVar[bool] = True

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``a``, ``b``, ``c`` until the rotational part is positive and falls on 1000 points up to 10 Nyquist.

        Raises
        ------
        EmrestoreError
            If the ranges allow hardly any such function.
        """
        drawn = {name: noise.between(noise.subkeys(keys, name), getattr(self, name), TRIES) for name in ("a", "b", "c")}
        first = torch.stack([valid(*(drawn[name][:, k] for name in "abc")) for k in range(TRIES)], 1)
        if not first.any(1).all():
            raise EmrestoreError(
                f"the ranges of the camera's a, b and c ({self.a}, {self.b}, {self.c}) hardly ever give an MTF that is "
                "positive and decreasing; keep a below 1 or b above c"
            )
        chosen = first.int().argmax(1, keepdim=True)
        return {name: values.gather(1, chosen)[:, 0] for name, values in drawn.items()}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Multiply the spectrum of the image, mirrored at its borders so that intensity neither leaves nor enters."""
        ny, nx = image.shape[-2:]
        doubled = torch.cat([image, image.flip(-1)], dim=-1)
        doubled = torch.cat([doubled, doubled.flip(-2)], dim=-2)
        # over the doubled image frequencies still run up to Nyquist
        v = torch.fft.fftfreq(2 * ny, 0.5, device=image.device)[:, None]
        u = torch.fft.rfftfreq(2 * nx, 0.5, device=image.device)
        return filtered(doubled, transfer(u, v, parameters))[..., :ny, :nx]


def radial(g: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Give the rotationally symmetric part at g [Nyquist frequencies], Eq. 29."""
    return a * torch.exp(-(g**2) / (2 * b**2)) + (1 - a) * torch.exp(-(g**2) / (2 * c**2))


def transfer(u: Tensor, v: Tensor, parameters: Parameters) -> Tensor:
    """Give the MTF at frequencies u along x and v along y [Nyquist frequencies], Eq. 28, (N, 1, V, U)."""
    a, b, c = (parameters[name].view(-1, 1, 1, 1) for name in "abc")
    return radial(torch.sqrt(u**2 + v**2), a, b, c) * torch.sinc(u / 2) * torch.sinc(v / 2)


def valid(a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Tell which radial parts are positive and decreasing on 1000 points up to 10 Nyquist frequencies, (N,)."""
    g = torch.linspace(0, 10, 1000, dtype=torch.float64, device=a.device)
    # a Gaussian that has underflowed to zero no longer falls: compare logarithms scaled by the wider one
    a, b, c = (value.double()[:, None] for value in (a, b, c))
    wide = torch.maximum(b, c)
    scaled = g**2 / (2 * wide**2)
    one = a * torch.exp(scaled - g**2 / (2 * b**2))
    two = (1 - a) * torch.exp(scaled - g**2 / (2 * c**2))
    positive = (one + two > 0).all(1)
    # d/dg of Eq. 29 has the sign of -(one / b² + two / c²)
    return positive & (one / b**2 + two / c**2 > 0).all(1)


def nyquist_value(parameters: Parameters) -> Tensor:
    """Give the MTF at the Nyquist frequency along an axis, the usual figure of merit, (N,)."""
    a, b, c = (parameters[name] for name in "abc")
    return radial(torch.ones_like(a), a, b, c) * 2 / math.pi
