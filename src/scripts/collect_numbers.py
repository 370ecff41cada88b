"""Collect every number that the report's prose or a claim quotes."""

import json
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
    numbers: Path,
) -> None:
    """Write a flat JSON object: key -> value, interval, unit, and what it is of."""
    found = reduce.fig03_numbers(pd.read_csv(fig03))
    found |= reduce.displaced_numbers(pd.read_csv(displaced))
    found |= reduce.image_numbers(pd.read_csv(image_errors))
    found |= reduce.network_numbers(pd.read_csv(networks))
    found |= reduce.distortion_numbers(pd.read_csv(distortions))
    found |= reduce.generator_numbers(pd.read_csv(generator), pd.read_csv(draws))
    found |= reduce.realism_numbers(pd.read_csv(realism), pd.read_csv(powers))
    numbers.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
