"""Assemble the clean image of a specimen: symmetry, phonon average, finite source, pixels."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.field import broaden_and_sample, unfold_4mm
from emrestore.workflow import run


def main(
    configurations: list[Path], image: Path, *, extent: float, pixel_size: float, source_hwhm: float, symmetric: bool
) -> None:
    """Write the detected fraction (y, x), and its standard error over phonon configurations.

    A column at x, y [Å] of the specimen's box lies at pixel ((x - x0) / pixel_size, (y - y0) / pixel_size), with x0 and
    y0 among the attributes: the centre of pixel (0, 0).
    """
    parts = [store.read(path) for path in configurations]
    scans = np.stack([part.fraction.values for part in parts])
    if symmetric:
        scans = unfold_4mm(scans)
    x, y = parts[0].x.values, parts[0].y.values
    pixels = round(extent / pixel_size)
    # pixels are about the middle of the scan
    x0, y0 = (float(line.mean() - pixel_size * (pixels - 1) / 2) for line in (x, y))
    sigma = source_hwhm / np.sqrt(2 * np.log(2))
    images = broaden_and_sample(
        scans, parts[0].attrs["scan_step"], (x[0], y[0]), sigma, pixel_size, (pixels, pixels), (x0, y0)
    )
    n = len(images)
    error = images.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(images.shape[1:], np.nan)
    line = pixel_size * np.arange(pixels)
    dataset = xr.Dataset(
        {
            "fraction": (("y", "x"), images.mean(axis=0), {"units": "detected fraction"}),
            "fraction_se": (("y", "x"), error, {"units": "detected fraction", "long_name": "phonon standard error"}),
        },
        coords={"y": ("y", y0 + line, {"units": "Å"}), "x": ("x", x0 + line, {"units": "Å"})},
        attrs={"pixel_size": pixel_size, "x0": x0, "y0": y0, "configurations": n},
    )
    parameters = {"simulation": store.parameters(parts[0]), "source_hwhm": source_hwhm, "symmetric": symmetric}
    store.write(dataset, image, parameters)


if "snakemake" in globals():
    run(main, snakemake)
