"""Read crops of the real micrographs that come with the authors' package."""

from pathlib import Path

import numpy as np
import xarray as xr

from emrestore import store
from emrestore.authors import PACKAGE, VERSION, package_file
from emrestore.micrographs import read_crop
from emrestore.workflow import run


def main(images: Path, *, files: dict[str, str], panels: dict[str, dict], edge: int) -> None:
    """Write grey levels (micrograph, mirrored, y, x), each crop as recorded and upside down.

    ``files``: name in the package's ``test_data`` -> SHA-256; ``panels``: name -> ``file``, ``image``, ``x``, ``y``.
    """
    crops = np.stack(
        [
            read_crop(package_file(f"test_data/{place['file']}"), files[place["file"]], place["image"], x, y, edge)
            for place in panels.values()
            for x, y in [(place["x"], place["y"])]
        ]
    )
    counts = np.stack([crops, crops[:, ::-1]], axis=1)
    dataset = xr.Dataset(
        {"counts": (("micrograph", "mirrored", "y", "x"), counts, {"units": "grey levels"})},
        coords={"micrograph": list(panels), "mirrored": [0, 1]},
    )
    store.write(dataset, images, {"source": f"{PACKAGE} {VERSION}", "files": files, "panels": panels, "edge": edge})


if "snakemake" in globals():
    run(main, snakemake)
