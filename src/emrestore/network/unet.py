"""Networks in the shape of a U: compact, our own, made for processors; and MR-UNET, which the paper compares with.

Images whose edges the network cannot halve often enough are continued by reflection and cut again.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise, repeat
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from emrestore.network.restorer import Restorer


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions with an activation between them, added to the input."""

    def __init__(self, width: int):
        super().__init__()
        self.width = width
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor, told: Tensor | None = None) -> Tensor:
        """Map features (N, width, Y, X) to the same shape.

        ``told`` (2, N, width, 1, 1) scales and shifts those between the convolutions, if given.
        """
        between = self.first(x)
        if told is not None:
            between = torch.addcmul(between + told[1], between, told[0])
        return x + self.second(between.relu_())


class Compact(Restorer):
    """Residual U-Net of dense convolutions, the operations that processors do best: 2.7 million parameters.

    Down by strided 2 x 2 convolutions, up by their transposes, features of the way down added on the way up.

    Parameters
    ----------
    widths
        Features at each resolution, from the image's own; each is half the one before.
    blocks
        Residual blocks at each resolution, on the way down and again on the way up; at the coarsest twice as many at
        once.
    stride
        1, or 2 for a network whose finest features lie on every other pixel, as those of CGRDN: more features and a
        wider view for the same operations.
    conditional
        Whether the network is told how much disorder its specimens were drawn with
        (:mod:`emrestore.specimen.disorder`), as a second image that is constant. How strongly it believes in a lattice
        can then be chosen.
    lattice
        Edges of windows [px]: the network is shown what repeats in them (:mod:`emrestore.network.bragg`), an image for
        each.
    told
        Features of a small network that turns the disorder into a scale and a shift of each feature of each block; 0
        for a network that has it as an image alone.
    """

    #: What it is made of.
    block: type[nn.Module] = ResidualBlock

    def __init__(
        self,
        widths: Sequence[int] = (32, 64, 96, 144),
        blocks: int = 2,
        stride: int = 1,
        conditional: bool = False,
        lattice: Sequence[int] = (),
        told: int = 0,
    ):
        super().__init__()
        if told and not (conditional and self.block is ResidualBlock):
            raise TypeError("'told' is of conditional networks of residual blocks")
        self.arguments = dict(widths=list(widths), blocks=blocks, stride=stride, conditional=conditional)
        if lattice:
            self.arguments["lattice"] = list(lattice)
        if told:
            self.arguments["told"] = told
        self.conditional = conditional
        self.lattice = tuple(lattice)
        self.multiple = stride * 2 ** (len(widths) - 1)
        self._block_dtype: torch.dtype | None = None
        # a stride of two goes with kernels of four, which see every pixel equally often
        self.first = nn.Conv2d(len(self.inputs), widths[0], stride + 2, stride=stride, padding=1)
        pairs = list(pairwise(widths))
        self.ways_down = nn.ModuleList(self._blocks(fine, blocks) for fine, _ in pairs)
        self.downs = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in pairs)
        self.bottom = self._blocks(widths[-1], 2 * blocks)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in reversed(pairs))
        self.ways_up = nn.ModuleList(self._blocks(fine, blocks) for fine, _ in reversed(pairs))
        last = nn.Conv2d if stride == 1 else nn.ConvTranspose2d
        self.last = last(widths[0], 1, stride + 2, stride=stride, padding=1)
        # a second convolution of zeros makes every block the identity at first, and a last one the whole network
        for module in [*self.modules()]:
            if isinstance(module, ResidualBlock):
                nn.init.zeros_(module.second.weight)
        nn.init.zeros_(self.last.weight)
        if told:
            self.block_widths = [block.width for block in self._all_blocks()]
            self.told = nn.Sequential(nn.Linear(1, told), nn.ReLU(), nn.Linear(told, 2 * sum(self.block_widths)))
            nn.init.zeros_(self.told[-1].weight)
            nn.init.zeros_(self.told[-1].bias)

    def _blocks(self, width: int, count: int) -> nn.Sequential:
        return nn.Sequential(*[self.block(width) for _ in range(count)])

    def _all_blocks(self) -> Iterator[nn.Module]:
        """Give every block, in the order in which images go through them."""
        return chain(*self.ways_down, self.bottom, *self.ways_up)

    @torch.no_grad()
    def told_nothing(self) -> Self:
        """Give the network whose blocks are told nothing and do what those of this one do at a disorder of 0.

        Scale and shift of the features between the convolutions of a block are those of its first convolution.
        """
        same = type(self)(**self.arguments | {"told": 0})
        same.load_state_dict({name: known for name, known in self.state_dict().items() if name[:5] != "told."})
        features = self.told(torch.zeros_like(self.told[0].bias[:1])).unflatten(0, (2, -1))
        told = features.split(self.block_widths, dim=1)
        for block, (scale, shift) in zip(same._all_blocks(), told, strict=True):
            block.first.weight.mul_((1 + scale)[:, None, None, None])
            block.first.bias.mul_(1 + scale).add_(shift)
        return same

    def restore_seen(self, seen: Tensor) -> Tensor:
        """Restore from what the network sees, (N, inputs, Y, X), or from tiles of that."""
        x, kept = self.first(seen), []
        x = x.to(self._block_dtype or x.dtype)
        told = self._told(seen, x.dtype)

        def through(blocks: nn.Sequential, x: Tensor) -> Tensor:
            for block in blocks:
                x = block(x, *next(told))
            return x

        for blocks, down in zip(self.ways_down, self.downs, strict=True):
            kept.append(through(blocks, x))
            x = down(kept[-1])
        x = through(self.bottom, x)
        for up, blocks in zip(self.ups, self.ways_up, strict=True):
            x = through(blocks, up(x) + kept.pop())
        return seen[:, :1] + self.last(x.to(seen.dtype))

    def _told(self, seen: Tensor, dtype: torch.dtype) -> Iterator[tuple[Tensor, ...]]:
        """Give what each block is told, in turn."""
        if "told" not in self.arguments:
            return repeat(())
        found = self.told(seen[:, 1, :1, 0]).to(dtype).unflatten(1, (2, -1)).movedim(1, 0)[..., None, None]
        return ((part,) for part in found.split(self.block_widths, dim=2))

    def use_bfloat16(self) -> Self:
        """Compute all but the first and the last convolution in bfloat16 from now on; for inference."""
        self._block_dtype = torch.bfloat16
        for part in (self.ways_down, self.downs, self.bottom, self.ups, self.ways_up):
            part.to(self._block_dtype)
        return self


class GatedBlock(nn.Module):
    """NAFNet's block (Chen et al., 2022): gates in place of activations, a global channel attention, two residuals.

    Layer normalisation goes over the channels of each pixel, so a tile sees what the whole image would show it; the
    channel attention alone averages over all that it is given.
    """

    def __init__(self, width: int):
        super().__init__()
        self.first_norm, self.second_norm = ChannelNorm(width), ChannelNorm(width)
        self.expand = nn.Conv2d(width, 2 * width, 1)
        self.depthwise = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width)
        self.attention = nn.Conv2d(width, width, 1)
        self.project = nn.Conv2d(width, width, 1)
        self.widen = nn.Conv2d(width, 2 * width, 1)
        self.narrow = nn.Conv2d(width, width, 1)
        # zero at first: every block begins as the identity
        self.shares = nn.Parameter(torch.zeros(2, width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, width, Y, X) to the same shape."""
        one, two = self.depthwise(self.expand(self.first_norm(x))).chunk(2, dim=1)
        gated = one * two
        gated = gated * self.attention(gated.mean(dim=(-2, -1), keepdim=True))
        x = x + self.shares[0] * self.project(gated)
        one, two = self.widen(self.second_norm(x)).chunk(2, dim=1)
        return x + self.shares[1] * self.narrow(one * two)


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of each pixel."""

    def __init__(self, width: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width, 1, 1))
        self.offset = nn.Parameter(torch.zeros(width, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, width, Y, X) to the same shape."""
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, correction=0)
        return (x - mean) * torch.rsqrt(variance + 1e-6) * self.gain + self.offset


class NAFNet(Compact):
    """A U-Net of NAFNet's blocks (Chen et al., Simple baselines for image restoration, 2022), otherwise as compact.

    Parameters
    ----------
    widths, blocks, conditional, lattice
        As of :class:`Compact`.
    """

    block = GatedBlock


class MRUNet(Restorer):
    """U-Net whose decoder also gives coarse images: the multi-resolution U-Net of Wang et al. (Sci. Rep. 10, 2020).

    The paper counts 51.7 million parameters and the description leaves the sizes open: a U-Net of 64 to 1024 features
    with three convolutions at each resolution on the way up, four at the bottom, and a coarse image from each
    resolution has 53.1 million.

    Parameters
    ----------
    widths
        Features at each resolution, from the image's own; each is half the one before.
    extra
        Convolutions at each resolution of the way up beyond the usual two, and twice as many at the bottom.
    """

    def __init__(self, widths: Sequence[int] = (64, 128, 256, 512, 1024), extra: int = 1):
        super().__init__()
        self.arguments = dict(widths=list(widths), extra=extra)
        self._block_dtype: torch.dtype | None = None
        pairs = list(pairwise(widths))
        self.ways_down = nn.ModuleList(
            _convolutions(coming, width, 2) for coming, width in zip([1, *widths[:-2]], widths[:-1], strict=True)
        )
        self.bottom = _convolutions(widths[-2], widths[-1], 2 + 2 * extra)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(coarse, fine, 2, stride=2) for fine, coarse in reversed(pairs))
        self.ways_up = nn.ModuleList(_convolutions(2 * fine, fine, 2 + extra) for fine, _ in reversed(pairs))
        self.multiple = 2 ** len(self.ups)
        self.images = nn.ModuleList(nn.Conv2d(width, 1, 3, padding=1) for width in reversed(widths))

    def restore_seen(self, seen: Tensor) -> Tensor:
        """Restore from what the network sees, standardised images (N, 1, Y, X), or from tiles of that."""
        return self.resolutions(seen)[-1]

    def resolutions(self, seen: Tensor) -> list[Tensor]:
        """Restore standardised images at all resolutions, from the coarsest to the image's own.

        The coarse ones are meant to match the clean image averaged over as many pixels. Our training asks for the
        finest alone, which leaves the layers that make the others as they were drawn. Edges are multiples of the
        coarsest pixel.
        """
        x, kept = seen.to(self._block_dtype or seen.dtype), []
        for convolutions in self.ways_down:
            kept.append(convolutions(x))
            x = functional.max_pool2d(kept[-1], 2)
        x = self.bottom(x)
        found = [self.images[0](x).to(seen.dtype) + functional.avg_pool2d(seen, 2 ** len(self.ups))]
        for level, (up, convolutions) in enumerate(zip(self.ups, self.ways_up, strict=True), start=1):
            x = convolutions(torch.cat([up(x), kept.pop()], dim=1))
            scale = 2 ** (len(self.ups) - level)
            coarse = functional.avg_pool2d(seen, scale) if scale > 1 else seen
            found.append(self.images[level](x).to(seen.dtype) + coarse)
        return found

    def use_bfloat16(self) -> Self:
        """Compute all convolutions in bfloat16 from now on, and add to the image in float32; for inference."""
        self._block_dtype = torch.bfloat16
        return self.to(self._block_dtype)


def _convolutions(coming: int, width: int, count: int) -> nn.Sequential:
    """Chain 3 x 3 convolutions, each followed by an activation."""
    layers = []
    for number in range(count):
        layers += [nn.Conv2d(width if number else coming, width, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
