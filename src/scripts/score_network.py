"""Score one trained network on fixed pairs and on displaced Gaussian columns, beside what it costs."""

from pathlib import Path

import pandas as pd
import torch

from emrestore.columns.response import Lattice
from emrestore.distort.chain import build as build_chain
from emrestore.network import weights as weights_file
from emrestore.restore.network import NetworkMethod
from emrestore.train import data, experiment
from emrestore.workflow import run


def main(
    weights: Path,
    history: Path,
    validation_shards: list[Path],
    scores: Path,
    *,
    name: str,
    chain: str,
    distortions: dict,
    pairs: int,
    columns: dict,
    seed: int,
) -> None:
    """Write one row: scores, parameters, multiply-adds per pixel, seconds an image of 256 x 256 and of training."""
    network, metadata = weights_file.load(weights)
    network = network.eval().to(memory_format=torch.channels_last)
    method = NetworkMethod(network, name, None, torch.device("cpu"))
    truth, distorted = experiment.pairs(
        data.load(validation_shards), build_chain(distortions, chain), pairs, seed, "scores"
    )
    row = {"run": name, "crops": metadata["crops"]}
    row |= experiment.image_scores(method(distorted, lambda fraction: None), truth)
    row |= {f"raw_{key}": value for key, value in experiment.image_scores(distorted, truth).items()}
    lattice = Lattice(**{key: columns[key] for key in Lattice.__annotations__})
    row |= experiment.column_scores(method, lattice, columns["dose"], columns["displacement"], columns["fields"], seed)
    row |= {"parameters": experiment.parameters(network), "multiply_adds": experiment.multiply_adds(network)}
    row |= {"seconds": experiment.seconds(method), "training_seconds": pd.read_csv(history)["seconds"].iloc[-1]}
    pd.DataFrame([row]).to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
