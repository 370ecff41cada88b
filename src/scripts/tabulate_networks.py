"""Count the parameters of the networks at their published sizes, and of our own."""

from pathlib import Path

import pandas as pd

from emrestore.network.cgrdn import CGRDN, GRDN
from emrestore.network.unet import Compact, MRUNet
from emrestore.workflow import run


def main(table: Path) -> None:
    """Write one row per network."""
    networks = {"cgrdn": CGRDN(), "grdn": GRDN(), "mrunet": MRUNet(), "compact": Compact()}
    rows = [{"network": name, "parameters": sum(p.numel() for p in net.parameters())} for name, net in networks.items()]
    pd.DataFrame(rows).to_csv(table, index=False, lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
