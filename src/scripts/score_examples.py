"""Score restored examples one by one."""

from pathlib import Path

import pandas as pd

from emrestore import store
from emrestore.metrics import image_scores
from emrestore.workflow import run


def main(pairs: Path, restored: list[Path], table: Path, *, methods: list[str]) -> None:
    """Write a row for each image and method, ``raw`` for the distorted image; ``restored`` has a path for each method.

    ``psnr`` [dB], ``ssim`` and ``l1`` are those of :func:`emrestore.metrics.scores_by_image`; ``dose`` is the truth's
    mean [e/px].
    """
    source = store.read(pairs)
    images = {"raw": source} | {name: store.read(path) for name, path in zip(methods, restored, strict=True)}
    rows = []
    for number in source.number.values:
        one = source.sel(number=number)
        for name, dataset in images.items():
            row = {"specimen": int(number), "pixel_size": float(one.pixel_size), "dose": float(one.truth.mean())}
            scores = image_scores(dataset.counts.sel(number=[number]).values, one.truth.values[None])
            rows.append(row | {"method": name} | scores)
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
