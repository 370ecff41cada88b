"""The paper's generator: concatenated grouped residual dense network (CGRDN), and its parent GRDN.

A residual dense block (RDB) sees all of its earlier feature maps at every layer; a grouped block (GRDB) fuses
the outputs of several RDBs; the network fuses the outputs of all GRDBs (CGRDN) or keeps the last one (GRDN),
at half the image's resolution. Tensors are (N, 1, Y, X) with even Y and X; all convolutions have a bias and
pad with zeros.

Modules are defined in the order in which data passes them. :mod:`emrestore.network.published` relies on that
order.
"""

from collections.abc import Iterable
from typing import Self

import torch
from torch import Tensor, nn

from emrestore.network.restorer import Restorer


class RDB(nn.Module):
    """Residual dense block: ``layers`` convolutions, each fed by all before it, fused and added to the
    input."""

    def __init__(self, features: int, growth: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(features + i * growth, growth, 3, padding=1) for i in range(layers))
        self.fuse = nn.Conv2d(features + layers * growth, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, features, Y, X) to the same shape."""
        # writing into one preallocated tensor is slower: a convolution copies a slice of channels first
        known = x
        for layer in self.layers:
            known = torch.cat([known, layer(known).relu()], dim=1)
        return x + self.fuse(known)


class GRDB(nn.Module):
    """Grouped residual dense block: RDBs in sequence, all their outputs fused and added to the input."""

    def __init__(self, features: int, growth: int, layers: int, blocks: int):
        super().__init__()
        self.blocks = nn.ModuleList(RDB(features, growth, layers) for _ in range(blocks))
        self.fuse = nn.Conv2d(blocks * features, features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Map features (N, features, Y, X) to the same shape."""
        return x + self.fuse(torch.cat(_outputs(self.blocks, x), dim=1))


class GRDN(Restorer):
    """Grouped residual dense network: 7,019,073 parameters at the published size.

    Parameters
    ----------
    features
        Feature maps between blocks.
    growth
        Feature maps that each layer of an RDB adds.
    layers
        3 x 3 convolutions in an RDB; the paper's n_lay = 9 counts the 1 x 1 fusion as well.
    blocks
        RDBs in a GRDB.
    groups
        GRDBs.
    conditional
        Whether the network is told how much disorder to expect, as :class:`emrestore.network.unet.Compact` is; the
        paper's is not.
    """

    concatenated = False

    def __init__(
        self,
        features: int = 64,
        growth: int = 32,
        layers: int = 8,
        blocks: int = 4,
        groups: int = 4,
        conditional: bool = False,
    ):
        super().__init__()
        #: What the network was made with; stored beside its weights.
        self.arguments = dict(features=features, growth=growth, layers=layers, blocks=blocks, groups=groups)
        if conditional:
            self.arguments["conditional"] = True
        self.conditional = conditional
        self._block_dtype: torch.dtype | None = None
        self.first = nn.Conv2d(len(self.inputs), features, 3, padding=1)
        self.down = nn.Conv2d(features, features, 4, stride=2, padding=1)
        self.groups = nn.ModuleList(GRDB(features, growth, layers, blocks) for _ in range(groups))
        if self.concatenated:
            self.fuse = nn.Conv2d(groups * features, features, 1)
        self.up = nn.ConvTranspose2d(features, features, 4, stride=2, padding=1)
        self.last = nn.Conv2d(features, 1, 3, padding=1)

    def restore_seen(self, seen: Tensor) -> Tensor:
        """Restore from what the network sees, (N, inputs, Y, X), or from tiles of that."""
        shallow = self.down(self.first(seen))
        deep = _outputs(self.groups, shallow.to(self._block_dtype or shallow.dtype))
        features = shallow + self.fuse(torch.cat(deep, dim=1)) if self.concatenated else deep[-1]
        return seen[:, :1] + self.last(self.up(features.to(shallow.dtype)))

    def use_bfloat16(self) -> Self:
        """Compute the blocks, 98 % of all operations, in bfloat16 from now on; for inference.

        The four convolutions at full resolution stay in float32: that halves the difference from an
        all-float32 result, which is rounding of the features that carry the image itself.
        """
        self._block_dtype = torch.bfloat16
        self.groups.to(self._block_dtype)
        if self.concatenated:
            self.fuse.to(self._block_dtype)
        return self

    @property
    def receptive_radius(self) -> int:
        """Distance in pixels beyond which an input pixel cannot change an output pixel."""
        layers = sum(len(block.layers) for group in self.groups for block in group.blocks)
        # two pixels a layer at half resolution; `first` and `last` one each; `down` one (its outer tap lies
        # 1.5 px from its centre) and `up` two half-resolution taps, at most 2 px more
        return 2 * layers + 5


class CGRDN(GRDN):
    """Concatenated grouped residual dense network: 7,035,521 parameters at the published size.

    A :class:`GRDN` whose GRDB outputs are all fused and added to the features before the first GRDB.
    """

    concatenated = True


def _outputs(blocks: Iterable[nn.Module], x: Tensor) -> list[Tensor]:
    """Give the outputs of blocks in sequence."""
    outputs = []
    for block in blocks:
        x = block(x)
        outputs.append(x)
    return outputs
