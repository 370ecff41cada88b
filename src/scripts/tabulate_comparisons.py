"""Tabulate the scores of networks that learned other distortions or images than they are judged by."""

from pathlib import Path

import pandas as pd

from emrestore.train.report import annotation_table, change_table, distortion_table, resolution_table
from emrestore.workflow import run


def main(
    distortions: Path,
    resolution: Path,
    annotations: list[Path],
    scores: Path,
    changes: Path,
    resolved: Path,
    kept: Path,
    *,
    right: str,
    shows: dict[str, str],
) -> None:
    """Write all four tables."""
    judged = pd.read_csv(distortions)
    for table, path in (
        (distortion_table(judged), scores),
        (change_table(judged, right, shows), changes),
        (resolution_table(pd.read_csv(resolution)), resolved),
        (annotation_table(pd.concat(map(pd.read_csv, annotations), ignore_index=True)), kept),
    ):
        table.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
