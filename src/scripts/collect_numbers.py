"""Collect every number that the report's prose or a claim quotes."""

import json
from pathlib import Path

import pandas as pd

from emrestore.numbers import displaced_numbers, distortion_numbers, fig03_numbers, image_numbers, network_numbers
from emrestore.workflow import run


def main(fig03: Path, displaced: Path, image_errors: Path, networks: Path, distortions: Path, numbers: Path) -> None:
    """Write a flat JSON object: key -> value, interval, unit, and what it is of."""
    found = fig03_numbers(pd.read_csv(fig03))
    found |= displaced_numbers(pd.read_csv(displaced))
    found |= image_numbers(pd.read_csv(image_errors))
    found |= network_numbers(pd.read_csv(networks))
    found |= distortion_numbers(pd.read_csv(distortions))
    numbers.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if "snakemake" in globals():
    run(main, snakemake)
