"""Average phonon configurations and broaden by the finite source: the clean image of one period."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.periodic import broaden, symmetrise_4mm
from emrestore.workflow import run


def main(configurations: list[Path], image: Path, *, source_hwhm: float, perfect: bool) -> None:
    """Write the detected fraction (thickness, y, x) of one period.

    A perfect crystal's image has the symmetry 4mm about its columns, which phonons break in each configuration and not
    on average, so it is imposed.
    """
    parts = [store.read(path) for path in configurations]
    fractions = np.stack([part.fraction.values for part in parts])
    period = parts[0].attrs["period"]
    if perfect:
        fractions = symmetrise_4mm(fractions)
    fractions = broaden(fractions, (period, period), source_hwhm / np.sqrt(2 * np.log(2)))
    mean = parts[0].fraction.copy(data=fractions.mean(axis=0))
    # cross section of one column of a perfect crystal: mean detected fraction x area per column
    area = period**2 if perfect else period**2 / parts[0].attrs["columns"]
    per_configuration = fractions.mean(axis=(-2, -1)) * area
    n = len(parts)
    error = per_configuration.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else np.full(mean.sizes["thickness"], np.nan)
    dataset = xr.Dataset(
        {
            "fraction": mean,
            "cell_scs": ("thickness", per_configuration.mean(axis=0), {"units": "Å²"}),
            "cell_scs_se": ("thickness", error, {"units": "Å²", "long_name": "phonon standard error"}),
        },
        attrs=parts[0].attrs,
    )
    parameters = {"simulation": store.parameters(parts[0]), "source_hwhm": source_hwhm, "configurations": n}
    store.write(dataset, image, parameters)


if "snakemake" in globals():
    run(main, snakemake)
