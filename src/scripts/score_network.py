"""Score one method on fixed pairs and on displaced Gaussian columns, beside what it costs."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.columns.response import Lattice
from emrestore.distort.chain import build as build_chain
from emrestore.metrics import image_scores
from emrestore.restore import open_method
from emrestore.train import costs, data, experiment, lattices
from emrestore.workflow import run


def main(
    weights: Path | list[Path],
    history: Path | list[Path],
    validation_shards: list[Path],
    scores: Path,
    *,
    name: str,
    model: str,
    precision: str,
    chain: str,
    distortions: dict,
    pairs: int,
    columns: dict,
    border: float,
    seed: int,
) -> None:
    """Write one row: scores, parameters, multiply-adds per pixel, seconds an image of 256 x 256 and of training.

    ``weights`` is empty for a filter, ``history`` for what was not trained here.
    """
    method = open_method(model, weights or "auto", precision=precision)
    known = experiment.draw(data.load(validation_shards), build_chain(distortions, chain), pairs, seed, "scores")
    truth, distorted = experiment.in_electrons(known)
    row = {"run": name} | image_scores(method(distorted, lambda fraction: None), truth)
    row |= {f"raw_{key}": value for key, value in image_scores(distorted, truth).items()}
    lattice = Lattice(**{key: columns[key] for key in Lattice.__annotations__})
    design = (columns[name] for name in ("dose", "displacement", "fields"))
    row |= lattices.column_scores(method, lattice, *design, border, seed)
    network = getattr(method, "network", None)
    row["parameters"] = costs.parameters(network) if network else np.nan
    row["multiply_adds"] = costs.multiply_adds(network) if network else np.nan
    trained = pd.read_csv(history).iloc[-1] if history else {"seconds": np.nan, "crops": np.nan}
    row |= {"seconds": costs.seconds(method), "training_seconds": trained["seconds"], "crops": trained["crops"]}
    pd.DataFrame([row]).to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
