"""Compare every raw and restored image of the bulk series with its clean image: one row per image."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.metrics import psnr, rmse
from emrestore.pairs import expected_counts
from emrestore.workflow import run


def main(pairs: list[Path], restored: list[Path], table: Path, *, samplings: list[str], methods: list[str]) -> None:
    """Write RMSE [electrons per pixel] and PSNR [dB, the clean image's maximum as MAX] of every image.

    ``restored`` is ordered by sampling, then by method.
    """
    rows, unread = [], iter(restored)
    for sampling, path in zip(samplings, pairs, strict=True):
        noisy = store.read(path)
        sources = {"raw": noisy} | {method: store.read(next(unread)) for method in methods}
        for dose in noisy.dose.values:
            truth = expected_counts(noisy.clean.values, dose, noisy.attrs["pixel_size"])[:, None]
            for method, source in sources.items():
                images = source.counts.sel(dose=dose).values.astype(np.float64)
                errors, ratios = rmse(images, truth), psnr(images, truth, truth.max(axis=(-2, -1)))
                frame = pd.DataFrame({"rmse": errors.ravel(), "psnr": ratios.ravel()})
                frame.insert(0, "sampling", sampling)
                frame.insert(1, "dose", dose)
                frame.insert(2, "thickness", np.repeat(noisy.thickness.values, errors.shape[1]))
                frame.insert(3, "realisation", np.tile(np.arange(errors.shape[1]), errors.shape[0]))
                frame.insert(4, "method", method)
                rows.append(frame)
    pd.concat(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
