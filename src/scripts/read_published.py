"""Read the authors' network from their package and keep it as safetensors."""

from pathlib import Path

from emrestore.network.published import convert
from emrestore.workflow import run


def main(weights: Path, *, model: str) -> None:
    """Verify, convert and store the published weights of one modality."""
    convert(model, weights)


if "snakemake" in globals():
    run(main, snakemake)
