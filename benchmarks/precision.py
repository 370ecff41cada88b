"""Does bfloat16 restoration move what is measured? Fitted columns of the study's own images, against float32.

    python benchmarks/precision.py [--images 6]

reads results/pairs/bulk (make study first), restores some realisations of every condition in both precisions, fits the
same columns in both and records the root-mean-square difference, as a share of the statistical error (the standard
deviation over realisations in results/tables/fig03.csv). ``precision: auto`` takes bfloat16 where this share is under a
tenth: everywhere but in the sparsest images (emrestore.restore.network.SPARSE).
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from _record import record

from emrestore import store
from emrestore.columns.table import fit_stack
from emrestore.metrics import is_inside
from emrestore.restore import restore

RESULTS = Path("results")
#: Share of the statistical error that bfloat16 may cost.
LIMIT = 0.1


def main(images: int) -> None:
    """Compare condition by condition; record the median and the largest share for positions and cross sections."""
    table = pd.read_csv(RESULTS / "tables/fig03.csv")
    table = table[table["method"] == "published_ls"].set_index(["sampling", "dose", "thickness", "quantity"])["std"]
    shares: dict[str, list[float]] = {"position": [], "scs": []}
    for path in sorted((RESULTS / "pairs/bulk").glob("*.nc")):
        pairs = store.read(path)
        start = np.stack([pairs.x_site.values, pairs.y_site.values], axis=-1)
        scored = np.flatnonzero(is_inside(pairs, 1.0))
        for dose in pairs.dose.values:
            for thickness in pairs.thickness.values:
                noisy = pairs.counts.sel(dose=dose, thickness=thickness).values[:images].astype(np.float32)
                fits = [
                    fit_stack(
                        restore(noisy, model="hrstem", weights="published", precision=precision),
                        start,
                        "ls",
                        "shared",
                        "zero",
                    )
                    for precision in ("fp32", "bf16")
                ]
                full, half = (fit[fit["column"].isin(scored)] for fit in fits)
                moved = (half[["x", "y"]] - full[["x", "y"]]).to_numpy() * pairs.attrs["pixel_size"] * 100
                scaled = 100 * ((half["scs"] - full["scs"]) / full["scs"].mean()).to_numpy()
                for quantity, difference in (("position", moved), ("scs", scaled)):
                    error = table[path.stem, dose, thickness, quantity]
                    shares[quantity].append(float(np.sqrt((difference**2).mean())) / error)
                    if shares[quantity][-1] > LIMIT:
                        where = f"{path.stem}, {dose:g} e/Å², {thickness} cells, {noisy.mean():.3f} electrons a pixel"
                        print(f"{quantity} moves by {shares[quantity][-1]:.2f} of its error: {where}", flush=True)
    for quantity, found in shares.items():
        for name, value in (("median", np.median(found)), ("largest", np.max(found))):
            what = f"{quantity}: rms change by bfloat16 over statistical error, {name} of {len(found)} conditions"
            record("precision", what, float(value), "", reference="float32, same images")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=6, help="realisations of each condition")
    main(parser.parse_args().images)
