"""Draw a network from its modules."""

from pathlib import Path

import torch

from emrestore.network.cgrdn import CGRDN, GRDB, RDB
from emrestore.network.discriminator import PatchDiscriminator
from emrestore.network.unet import Compact, ResidualBlock
from emrestore.plot.architecture import architecture_figure, panels, patch_edge
from emrestore.plot.style import save, style
from emrestore.workflow import run

#: Network and the kinds of blocks that it is taken apart into.
DRAWN = {
    "cgrdn": (CGRDN, (GRDB, RDB)),
    "compact": (Compact, (ResidualBlock,)),
    "discriminator": (PatchDiscriminator, ()),
}


def main(png: Path, pdf: Path, *, network: str, edge: int) -> None:
    """Draw one of :data:`DRAWN`, at its full size, for an image of edge x edge pixels."""
    kind, blocks = DRAWN[network]
    # where tensors have shapes and no numbers
    with torch.device("meta"):
        made = kind()
    judges = network == "discriminator"
    ends = ("image", "logits") if judges else ("standardised\nimage", "restored\nimage")
    drawn = panels(made, edge, ends, blocks)
    if judges:
        ((title, steps),) = drawn
        drawn = [(f"{title}; a logit for each patch of {patch_edge(made)} × {patch_edge(made)} px", steps)]
    with style():
        save(architecture_figure(drawn, upright=not judges), png, pdf)


if "snakemake" in globals():
    run(main, snakemake)
