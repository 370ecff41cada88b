"""Compare images of a crystal that are sums of profiles with its multislice images."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.image.profiles import Ranges, check
from emrestore.periodic import sample
from emrestore.realism import Sizes, cell_of, compare, failures, multislice_images
from emrestore.workflow import run

#: What of the study's multislice settings holds for every crystal.
OPTICS = ("energy", "semi_angle", "c30", "defocus", "detector_inner", "detector_outer", "source_hwhm")
#: Pictures: edge [Å] and pixels.
FIELD = 10.0
PIXELS = 64


def main(
    table: Path, pictures: Path, *, crystal: str, multislice: dict, settings: dict, profiles: dict, seed: int
) -> None:
    """Write one row per thickness, and pictures (thickness, kind, y, x) of the same field for all crystals."""
    optics = {name: multislice[name] for name in OPTICS}
    sizes = Sizes(**{name: settings[name] for name in Sizes.__annotations__})
    # the ordering that pictures show; tables hold both
    ranges = Ranges(**profiles | {"ordering": "power"})
    check(ranges)
    thicknesses = settings["thicknesses"]
    images, cells = multislice_images(crystal, optics, thicknesses, sizes, seed)
    rows, periods = compare(crystal, images, cells, optics, ranges, settings["draws"], seed)
    rows.insert(2, "nominal", thicknesses)
    rows["failures"] = rows.apply(failures, axis=1)
    rows.to_csv(table, index=False, float_format="%.6g", lineterminator="\n")
    edges = tuple(cell_of(crystal).cell.lengths()[:2])
    shown = sample(periods, edges, FIELD / PIXELS, (PIXELS, PIXELS), (0, 0))
    line = np.arange(PIXELS) * FIELD / PIXELS
    dataset = xr.Dataset(
        {"image": (("thickness", "kind", "y", "x"), shown.astype(np.float32), {"units": "detected fraction"})},
        coords={
            "thickness": ("thickness", np.asarray(thicknesses, float), {"units": "nm"}),
            "kind": ["multislice", "best", "middle"],
            "y": ("y", line, {"units": "Å"}),
            "x": ("x", line, {"units": "Å"}),
        },
        attrs={"crystal": crystal},
    )
    store.write(dataset, pictures, {"crystal": crystal, "multislice": multislice, "settings": settings, "seed": seed})


if "snakemake" in globals():
    run(main, snakemake)
