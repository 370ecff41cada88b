"""Gather what was drawn for clean images, hold it against its ranges, and measure the images' spectra."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore.image import shard, survey
from emrestore.workflow import run


def main(shards: list[Path], draws: Path, table: Path, spectra: Path, *, ranges: dict) -> None:
    """Write one row for each quantity of each image, one for each quantity, and spectra by pixel size."""
    datasets = [shard.read(path) for path in shards]
    drawn = [one for dataset in datasets for one in shard.drawn(dataset)]
    rows = survey.rows(drawn)
    images = np.concatenate([dataset.image.values for dataset in datasets])
    contrast = images.std((1, 2)) / images.mean((1, 2))
    again = [len(one.get("redrawn", [])) for one in drawn]
    for name, values in (("contrast", contrast), ("drawn again", again)):
        rows = pd.concat([rows, pd.DataFrame({"image": range(len(drawn)), "quantity": name, "value": values})])
    rows.to_csv(draws, index=False)
    survey.summarise(rows, ranges).to_csv(table, index=False)
    power = survey.radial_spectrum(images)
    middle = (survey.FREQUENCIES[1:] + survey.FREQUENCIES[:-1]) / 2
    scale = np.array([one["pixel_size"] if one["kind"] != "low resolution" else np.nan for one in drawn])
    groups = {"fine": scale < 0.1, "middle": (scale >= 0.1) & (scale < 0.3), "coarse": scale >= 0.3}
    groups["low resolution"] = np.isnan(scale)
    pd.concat(
        [
            pd.DataFrame(
                {"group": name, "images": int(chosen.sum()), "frequency": middle}
                | dict(zip(("low", "median", "high"), np.quantile(power[chosen], [0.1, 0.5, 0.9], axis=0), strict=True))
            )
            for name, chosen in groups.items()
            if chosen.any()
        ]
    ).to_csv(spectra, index=False)


if "snakemake" in globals():
    run(main, snakemake)
