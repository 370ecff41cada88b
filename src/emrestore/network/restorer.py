"""What all networks that restore images have in common: each standardises its images and undoes it."""

from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from emrestore.network.bragg import repeating

#: Smallest standard deviation that the standardisation divides by, in units of the input, as in the published network.
STD_FLOOR = 0.1


class Restorer(nn.Module):
    """A network that adds a correction to standardised images; equivariant to gain and offset above the floor.

    Subclasses set ``arguments``, what the network was made with, and give ``restore_seen``.
    """

    arguments: dict
    #: Whether it is told how much disorder to expect.
    conditional: bool = False
    #: Edges of the windows [px] in which it is shown what repeats (:mod:`emrestore.network.bragg`).
    lattice: tuple[int, ...] = ()
    #: Tiles begin at multiples of so many pixels: where the network's coarsest pixels begin.
    multiple: int = 2

    def forward(self, images: Tensor, disorder: Tensor | None = None) -> Tensor:
        """Restore images (N, 1, Y, X): standardise each, restore, undo the standardisation.

        Parameters
        ----------
        images
            (N, 1, Y, X).
        disorder
            (N,) how much disorder to expect of each specimen, from 0 to 1; for conditional networks only.
        """
        std, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
        std = std.clamp_min(STD_FLOOR)
        z = (images - mean) / std
        told = (z, disorder) if self.conditional else (z,)
        return self.restore_standardised(*told) * std + mean

    def restore_standardised(self, z: Tensor, disorder: Tensor | None = None) -> Tensor:
        """Restore images (N, 1, Y, X) of mean 0 and standard deviation 1."""
        height, width = z.shape[-2:]
        return self.restore_seen(self.seen(padded_to(z, self.multiple), disorder))[..., :height, :width]

    def restore_seen(self, seen: Tensor) -> Tensor:
        """Restore from what the network sees, (N, inputs, Y, X) as :meth:`seen` gives it, or from tiles of that.

        Edges are multiples of ``multiple``.
        """
        raise NotImplementedError

    @property
    def inputs(self) -> list[str]:
        """What the first convolution sees, a name for each of its images."""
        return ["image", *["disorder"] * self.conditional, *(f"lattice {window}" for window in self.lattice)]

    def seen(self, z: Tensor, disorder: Tensor | None) -> Tensor:
        """Join to whole images (N, 1, Y, X) what else the network sees; the disorder is 0 unless given.

        What repeats is found in the image as a whole: windows of tiles would begin elsewhere, and end at their borders.
        """
        images = [z]
        if self.conditional:
            disorder = torch.zeros(len(z), device=z.device) if disorder is None else disorder
            images.append(disorder.to(z)[:, None, None, None].expand_as(z))
        images += [repeating(z, window) for window in self.lattice]
        return torch.cat(images, dim=1) if len(images) > 1 else z

    def use_bfloat16(self) -> Self:
        """Compute all but the few convolutions that images go through in bfloat16 from now on; for inference."""
        raise NotImplementedError


def computes_bfloat16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 in hardware; elsewhere it is emulated, and slower than
    float32."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def padded_to(z: Tensor, multiple: int) -> Tensor:
    """Continue images by reflection to edges that are multiples; one that is too small by its last line."""
    bottom, right = (-edge % multiple for edge in z.shape[-2:])
    mode = "reflect" if bottom < z.shape[-2] and right < z.shape[-1] else "replicate"
    return functional.pad(z, (0, right, 0, bottom), mode=mode)
