"""Scanning jitter (Eqs 41, 42): the probe is not where the scan says, and its errors are correlated in time."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from emrestore.distort import noise, resample
from emrestore.distort.effect import Parameters, Range, Scene, by_kind

#: Number, in parameters, of what the series runs over.
INDICES = ("row", "pixel")


@dataclass(frozen=True)
class Jitter:
    """Displacements of scan rows, or of pixels along x, as autoregressive series of first order.

    Attributes
    ----------
    axes
        Weights of jitter along x, along y and along both.
    sigma_x, sigma_y
        Standard deviation of the series' innovations [Å].
    phi
        Correlation of neighbours in the series.
    index
        What k of Eq. 41 counts along x: ``"row"`` (a row moves as a whole) or ``"pixel"`` (each pixel moves on its own,
        one series per row). Along y rows always move as a whole.
    """

    axes: dict[str, float]
    sigma_x: Range
    sigma_y: Range
    phi: Range
    index: str

    stage: ClassVar[str] = "recording"
    both: ClassVar[bool] = False

    def sample(self, keys: Tensor, scene: Scene) -> Parameters:
        """Draw ``sigma_x``, ``sigma_y`` [px], ``phi_x``, ``phi_y``, ``index`` and the key of the series."""
        kind = noise.choice(noise.subkeys(keys, "axes"), [self.axes[axes] for axes in ("x", "y", "xy")])
        drawn = {"index": torch.full_like(keys, INDICES.index(self.index))}
        for axis, absent in (("x", 1), ("y", 0)):
            sigma = noise.between(noise.subkeys(keys, "sigma", axis), getattr(self, f"sigma_{axis}")) / scene.pixel_size
            drawn[f"sigma_{axis}"] = torch.where(kind == absent, 0.0, sigma)
            drawn[f"phi_{axis}"] = noise.between(noise.subkeys(keys, "phi", axis), self.phi)
        return drawn | {"key": noise.subkeys(keys, "series")}

    @staticmethod
    def apply(image: Tensor, parameters: Parameters) -> Tensor:
        """Resample with cubic convolution on the displaced grid."""
        return by_kind(image, parameters, "index", (_move_rows, _move_pixels))


def displacements(parameters: Parameters, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Give where the probe was, less where it should have been, for images of one ``index``.

    Returns
    -------
    dy : Tensor
        (N, Y) [px].
    dx : Tensor
        (N, Y) [px] for series over rows, (N, Y, X) for series over pixels.
    """
    ny, nx = shape
    by_row = (parameters["index"] == INDICES.index("row")).all()
    key = parameters["key"]
    dy = series(noise.normal(noise.subkeys(key, "y"), ny), parameters["phi_y"])
    dx = series(noise.normal(noise.subkeys(key, "x"), ny, *([] if by_row else [nx])), parameters["phi_x"])
    return dy * parameters["sigma_y"][:, None], dx * parameters["sigma_x"].view(-1, *[1] * (dx.ndim - 1))


def _move_rows(image: Tensor, parameters: Parameters) -> Tensor:
    return resample.shift_rows(image, *displacements(parameters, image.shape[-2:]))


def _move_pixels(image: Tensor, parameters: Parameters) -> Tensor:
    dy, dx = displacements(parameters, image.shape[-2:])
    ny, nx = image.shape[-2:]
    y = torch.arange(ny, device=image.device)[:, None] + dy[..., None]
    return resample.at(image, y.expand_as(dx), torch.arange(nx, device=image.device) + dx)


def series(innovations: Tensor, phi: Tensor) -> Tensor:
    """Turn independent numbers into a stationary autoregressive series (Eq. 41).

    Parameters
    ----------
    innovations
        (N, ..., K) a^k, standard normal.
    phi
        (N,) correlation of neighbours, within [0, 1).

    Returns
    -------
    Tensor
        (N, ..., K) with variance 1 / (1 - phi²) everywhere, and correlation phi^k at a lag of k.
    """
    phi = phi.reshape(-1, *[1] * (innovations.ndim - 1))
    out = innovations.clone()
    out[..., :1] /= torch.sqrt(1 - phi**2)
    # the recursion in log2(K) steps: after the step of length s each term has gathered 2 s innovations
    step = 1
    while step < out.shape[-1]:
        out[..., step:] = out[..., step:] + phi**step * out[..., :-step]
        step *= 2
    return out
