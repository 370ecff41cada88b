"""Restore benchmark pairs of one modality by one method and score every image."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.benchmarks import SCORES
from emrestore.metrics import scores_by_image
from emrestore.restore import open_method, restore
from emrestore.workflow import run


def main(
    weights: Path | list[Path],
    pairs: list[Path],
    scores: Path,
    *,
    sets: list[str],
    modality: str,
    method: str,
    model: str,
    precision: str,
    images: int | str,
) -> None:
    """Write a row per image: ``psnr`` [dB], ``ssim`` and ``l1`` as of :func:`emrestore.metrics.scores_by_image`.

    ``weights`` is empty for a filter. ``sets`` names the files of pairs; ``images``: how many of each split, the first
    ones, or ``"all"``. A pair whose distorted image is its truth has a row without scores: there is nothing to restore.
    """
    opened = open_method(model, weights or "auto", precision=precision)
    rows = []
    for name, path in zip(sets, pairs, strict=True):
        for split, part in store.read(path).groupby("split"):
            part = part if images == "all" else part.isel(image=slice(images))
            truth, distorted = part.truth.values, part.distorted.values
            found = pd.DataFrame({"set": name, "split": split, "modality": modality, "method": method}, part.image)
            found[SCORES] = np.nan
            usable = (truth != distorted).any(axis=(1, 2))
            if usable.any():
                restored = restore(distorted[usable], method=opened)
                found.loc[usable, SCORES] = pd.DataFrame(scores_by_image(restored, truth[usable]))[SCORES].to_numpy()
            rows.append(found.rename_axis("image").reset_index())
    table = pd.concat(rows)[["set", "split", "modality", "method", "image", *SCORES]]
    table.to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
