"""Measure what a network does that is told to expect more and more disorder, beside the published one."""

from pathlib import Path

import pandas as pd

from emrestore.columns.response import Lattice
from emrestore.distort.chain import build as build_chain
from emrestore.metrics import psnr
from emrestore.restore import open_method
from emrestore.train import data, experiment
from emrestore.train.priors import image_scores, lattice_scores
from emrestore.workflow import run


def main(
    weights: Path,
    published: Path,
    validation_shards: list[Path],
    table: Path,
    *,
    model: str,
    precision: str,
    disorder: list[float],
    lattice: dict,
    doses: list[float],
    widths: list[float],
    fields: int,
    pairs: int,
    edge: int,
    much: float,
    border: float,
    chain: str,
    distortions: dict,
    seed: int,
) -> None:
    """Write a row for each method, disorder told, dose, width of displacements and quantity."""
    columns = Lattice(**{key: lattice[key] for key in Lattice.__annotations__})
    right = build_chain(distortions, chain)
    known = experiment.draw(data.load(validation_shards), right, pairs, seed, "scores", edge=edge)
    methods = [
        ("trained", told, open_method(model, weights, precision=precision, prior=told)) for told in sorted(disorder)
    ]
    methods.append(("published", float("nan"), open_method(model, published, precision=precision)))
    methods.append(("raw", float("nan"), open_method("identity")))
    tables, strong = [], None
    for name, told, method in methods:
        found = [lattice_scores(method, columns, doses, widths, fields, border, seed)]
        scores = psnr(method(known.distorted, lambda fraction: None), known.truth, known.truth.max(axis=(1, 2)))
        # the first is told to expect least
        strong = scores if strong is None else strong
        found.append(image_scores(scores, strong, known.disorder, much))
        tables.append(pd.concat(found).assign(method=name, disorder=told))
    found = pd.concat(tables)[["method", "disorder", "dose", "width", "quantity", "value", "low", "high"]]
    found.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
