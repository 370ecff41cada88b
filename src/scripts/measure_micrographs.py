"""Measure what can be checked of restored micrographs without a truth; and of simulated ones beside it."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.micrographs import mirror_difference, neighbour_correlation
from emrestore.workflow import run


def main(
    real: Path, simulated: list[Path], restored: list[Path], table: Path, *, modalities: list[str], networks: list
) -> None:
    """Write a row for each micrograph and network; for each simulated one another, ``truth``, of the undistorted image.

    ``modalities``: of the real images, then of each simulated file; ``networks``: network and modality of each restored
    file. ``along_x``, ``along_y``: correlation of neighbours in the residual, with its standard error if white;
    ``residual``: its standard deviation over the raw image's; ``mirror``: difference between restorations of the image
    and of the image upside down, over the restored image's standard deviation, for real images alone.
    """
    rows = []

    def measure(modality: str, micrograph: str, network: str, raw, found) -> dict:
        residual = raw.values - found.values
        row = {"modality": modality, "micrograph": micrograph, "network": network}
        return row | neighbour_correlation(residual) | {"residual": residual.std() / raw.values.std()}

    sources = {modality: store.read(path) for modality, path in zip(modalities, [real, *simulated], strict=True)}
    for modality, source in sources.items():
        if "truth" in source:
            rows.append(measure(modality, "simulated", "truth", source.counts[0], source.truth[0]))
    for (network, modality), path in zip(networks, restored, strict=True):
        raw, found = sources[modality].counts, store.read(path).counts
        if "truth" in sources[modality]:
            rows.append(measure(modality, "simulated", network, raw[0], found[0]))
            continue
        for name in raw.micrograph.values:
            one = found.sel(micrograph=name)
            row = measure(modality, name, network, raw.sel(micrograph=name, mirrored=0), one.sel(mirrored=0))
            rows.append(row | {"mirror": mirror_difference(*one.values)})
    rows.sort(key=lambda row: modalities.index(row["modality"]))
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.5g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
