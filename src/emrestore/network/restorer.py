"""What all networks that restore images have in common: each standardises its images and undoes it."""

import torch
from torch import Tensor, nn

#: Smallest standard deviation that the standardisation divides by, in units of the input, as in the published network.
STD_FLOOR = 0.1


class Restorer(nn.Module):
    """A network that adds a correction to standardised images; equivariant to gain and offset above the floor.

    Subclasses set ``arguments``, what the network was made with, and give ``restore_standardised``.
    """

    arguments: dict

    def forward(self, images: Tensor) -> Tensor:
        """Restore images (N, 1, Y, X): standardise each, restore, undo the standardisation."""
        std, mean = torch.std_mean(images, dim=(1, 2, 3), keepdim=True, correction=0)
        std = std.clamp_min(STD_FLOOR)
        return self.restore_standardised((images - mean) / std) * std + mean

    def restore_standardised(self, z: Tensor) -> Tensor:
        """Restore images (N, 1, Y, X) of mean 0 and standard deviation 1, or tiles of such images."""
        raise NotImplementedError
