"""The patch discriminator: tells, for overlapping patches of 70 x 70 pixels, real images from restored ones."""

from torch import Tensor, nn


class PatchDiscriminator(nn.Module):
    """Five 4 x 4 convolutions, three of them strided, with instance normalisation: 2.8 million parameters.

    No edge is continued by zeros, which would tell patches at the border from others: images are reflected there.
    Pixels are taken as they are, in the unit of the undistorted image, whose maximum is one.

    Parameters
    ----------
    channels
        1 for an image alone, 2 for it beside the distorted image that it belongs to (a conditional discriminator).
    width
        Features of the first layer, doubled at each of the next three.
    """

    def __init__(self, channels: int = 1, width: int = 64):
        super().__init__()
        self.arguments = dict(channels=channels, width=width)
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = []
        for number, (coming, going) in enumerate(zip([channels, *widths[:-1]], widths, strict=True)):
            strided = number < 3
            layers.append(_convolution(coming, going, strided))
            # the first layer keeps the contrast that normalisation takes away
            layers += [nn.InstanceNorm2d(going, affine=True)] if number else []
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        self.layers = nn.Sequential(*layers, _convolution(widths[-1], 1, strided=False))

    def forward(self, images: Tensor) -> Tensor:
        """Give a logit for each patch: (N, channels, Y, X) to (N, 1, Y / 8, X / 8)."""
        return self.layers(images)


def _convolution(coming: int, going: int, strided: bool) -> nn.Module:
    if strided:
        return nn.Conv2d(coming, going, 4, stride=2, padding=1, padding_mode="reflect")
    # an even kernel has no centre: one pixel more before than after
    return nn.Sequential(nn.ReflectionPad2d((1, 2, 1, 2)), nn.Conv2d(coming, going, 4))
