"""Measure what restoring an image costs by each method."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from emrestore.restore import open_method
from emrestore.train import costs
from emrestore.workflow import run


def main(
    weights: list[Path], table: Path, *, networks: list[str], filters: list[str], modality: str, precision: str
) -> None:
    """Write parameters and multiply-adds per pixel of each network, and what an image of 256 x 256 takes.

    ``seconds`` are those on ``cores``. ``networks`` names the files of weights, ``filters`` what has none.
    """
    opened = {name: open_method(name) for name in filters}
    for name, path in zip(networks, weights, strict=True):
        opened[name] = open_method(modality, path, precision=precision)
    rows = []
    for name, method in opened.items():
        network = getattr(method, "network", None)
        row = {"method": name, "parameters": costs.parameters(network) if network else np.nan}
        row["multiply_adds"] = costs.multiply_adds(network) if network else np.nan
        rows.append(row | {"seconds": costs.seconds(method), "cores": torch.get_num_threads()})
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
