"""Collect every number that the report's prose or a claim quotes."""

import json
from functools import partial
from pathlib import Path

import pandas as pd

from emrestore import numbers as reduce
from emrestore.workflow import run


def main(
    fig03: Path,
    displaced: Path,
    image_errors: Path,
    networks: Path,
    distortions: Path,
    generator: Path,
    draws: Path,
    realism: Path,
    powers: Path,
    realistic: Path,
    counts: Path,
    circuits: Path,
    library: Path,
    cross_sections: Path,
    blind: list[Path],
    bounds: Path,
    averaging: Path,
    resolution: Path,
    confidence: Path,
    survival: Path,
    invented: Path,
    departures: Path,
    examples: Path,
    micrographs: Path,
    experiments: Path,
    comparisons: list[Path],
    priors: list[Path],
    benchmarks: Path,
    costs: Path,
    numbers: Path,
    *,
    burgers: float,
    right: str,
) -> None:
    """Write a flat JSON object: key -> value, interval, unit, and what it is of.

    ``burgers`` is the length of the Burgers vector [Å], ``right`` the chain of distortions that experiments are judged
    under; ``comparisons`` and ``priors`` are empty until their networks are trained.
    """
    about_networks = [
        (reduce.fig03_numbers, pd.read_csv(fig03)),
        (reduce.displaced_numbers, pd.read_csv(displaced)),
        (reduce.image_numbers, pd.read_csv(image_errors)),
        (reduce.realistic_numbers, pd.read_csv(realistic), pd.read_csv(departures)),
        (reduce.count_numbers, pd.read_csv(counts)),
        (partial(reduce.circuit_numbers, length=burgers), pd.read_csv(circuits)),
        (reduce.example_numbers, pd.read_csv(examples)),
        (reduce.bound_numbers, pd.read_csv(bounds)),
        (reduce.feature_numbers, pd.read_csv(survival), pd.read_csv(invented)),
        (reduce.departure_numbers, pd.read_csv(departures)),
        *((partial(reduce.blind_numbers, path.stem.removeprefix("blind_")), pd.read_csv(path)) for path in blind),
    ]
    found = {}
    for function, *tables in about_networks:
        found |= function(*tables) | reduce.of_our_network(function, *tables)
    found |= reduce.network_numbers(pd.read_csv(networks))
    found |= reduce.distortion_numbers(pd.read_csv(distortions))
    found |= reduce.generator_numbers(pd.read_csv(generator), pd.read_csv(draws))
    found |= reduce.realism_numbers(pd.read_csv(realism), pd.read_csv(powers))
    found |= reduce.library_numbers(pd.read_csv(library), pd.read_csv(cross_sections))
    found |= reduce.averaging_numbers(pd.read_csv(averaging), pd.read_csv(resolution))
    found |= reduce.confidence_numbers(pd.read_csv(confidence))
    found |= reduce.micrograph_numbers(pd.read_csv(micrographs))
    found |= reduce.experiment_numbers(pd.read_csv(experiments))
    if comparisons:
        found |= reduce.comparison_numbers(*(pd.read_csv(path) for path in comparisons), right)
    if priors:
        found |= reduce.prior_numbers(pd.read_csv(*priors))
    found |= reduce.benchmark_numbers(pd.read_csv(benchmarks), pd.read_csv(costs))
    numbers.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
