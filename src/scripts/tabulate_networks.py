"""Count the parameters of the networks at their published sizes, and of our own; measure the discriminator."""

from pathlib import Path

import pandas as pd
import torch
from torch import nn

from emrestore.network.cgrdn import CGRDN, GRDN
from emrestore.network.discriminator import PatchDiscriminator
from emrestore.network.unet import Compact, MRUNet
from emrestore.workflow import run

#: Edge of the paper's training patches [px] (Training).
PATCH = 256


def main(table: Path) -> None:
    """Write one row per network.

    That of the discriminator has the ``edge`` of its output for a training patch and the ``field`` that one output sees
    [px]: 1 + Σ (kernel - 1) x product of the strides before.
    """
    networks = {"cgrdn": CGRDN(), "grdn": GRDN(), "mrunet": MRUNet(), "compact": Compact()}
    rows = [{"network": name, "parameters": sum(p.numel() for p in net.parameters())} for name, net in networks.items()]
    discriminator, field, stride = PatchDiscriminator(), 1, 1
    for layer in discriminator.modules():
        if isinstance(layer, nn.Conv2d):
            field, stride = field + (layer.kernel_size[0] - 1) * stride, stride * layer.stride[0]
    with torch.no_grad():
        edge = discriminator(torch.zeros(1, 1, PATCH, PATCH)).shape[-1]
    count = sum(p.numel() for p in discriminator.parameters())
    rows.append({"network": "discriminator", "parameters": count, "edge": edge, "field": field})
    pd.DataFrame(rows).astype({"edge": "Int64", "field": "Int64"}).to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
