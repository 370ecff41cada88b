"""Tell bias from variance in images and columns, and hold what images share against what is true."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.averaging import circle_about, error_of_mean, inner_pixels
from emrestore.frc import SEVENTH, agreement, crossing
from emrestore.metrics import errors_of
from emrestore.pairs import expected_counts
from emrestore.workflow import run


def main(
    pairs: list[Path],
    restored: list[Path],
    columns: list[Path],
    scores: Path,
    averaging: Path,
    frc: Path,
    resolution: Path,
    *,
    conditions: list[tuple[str, str, list[str]]],
    border: float,
) -> None:
    """Write the error of means of images and of columns, correlations of Fourier rings, and where they end.

    ``conditions`` are specimen, chain and methods, raw the first; ``restored`` holds a path for each of the others,
    ``pairs`` and ``columns`` one for each condition. Errors of images are in percent of the clean peak; those
    of columns are of the mean of n fits, not of a fit of the mean image, positions per axis.
    """
    measured = pd.read_parquet(scores)
    means, rings, ends, unread = [], [], [], iter(restored)
    for place, (field, chain, methods) in enumerate(conditions):
        recorded = store.read(pairs[place])
        pixel_size = recorded.attrs["pixel_size"]
        known = pd.read_csv(columns[place]).iloc[recorded.cell_column.values].reset_index(drop=True)
        core = known.index[known["core"]].to_numpy() if "core" in known else np.array([], int)
        inside = inner_pixels(recorded, border)
        regions = {"all": (inside, known.index.to_numpy())}
        if len(core) > 1:
            (x, y), radius = circle_about(recorded, core)
            rows, lines = np.indices(inside.shape)
            regions["core"] = (inside & (np.hypot(lines - x, rows - y) <= radius), core)
        for method in methods:
            counts = (recorded if method == "raw" else store.read(next(unread))).counts.isel(thickness=0)
            for dose in counts.dose.values:
                condition = {"specimen": field, "sampling": chain, "dose": dose, "method": method}
                truth = expected_counts(recorded.clean.values[0], float(dose), pixel_size)
                images = counts.sel(dose=dose).values.astype(float)
                errors = 100 * (images - truth) / truth.max()
                for region, (pixels, _) in regions.items():
                    found = error_of_mean(errors[:, pixels])
                    row = condition | {"region": region, "quantity": "image", "unit": "%²"}
                    means.append(found.assign(**row, items=pixels.sum(), left_out=0))
                found = agreement(images, truth)
                found["frequency"] /= pixel_size
                rings.append(found.assign(**condition))
                for threshold, value in (("1/7", SEVENTH), ("1/2 bit", found["half_bit"])):
                    for curve in ("pair", "truth_squared"):
                        first, last = crossing(found["frequency"].to_numpy(), found[curve].to_numpy(), value)
                        ends.append(condition | {"threshold": threshold, "curve": curve, "first": first, "last": last})
        some = measured[measured["scored"] & (measured["specimen"] == field) & (measured["sampling"] == chain)]
        for (method, dose), rows in some.groupby(["method", "dose"], sort=False):
            condition = {"specimen": field, "sampling": chain, "dose": dose, "method": method}
            errors, numbers = errors_of(rows, ["x_error", "y_error", "scs_error"]), np.sort(rows["column"].unique())
            still = errors[..., :2] - np.nanmean(errors[..., :2], axis=1, keepdims=True)
            quantities = {
                "position": ("pm²", errors[..., :2]),
                "position_drift": ("pm²", still),
                "scs": ("%²", 100 * errors[..., 2:]),
            }
            for region, (_, members) in regions.items():
                here = np.isin(numbers, members)
                for quantity, (unit, values) in quantities.items():
                    finite = np.isfinite(values).all(axis=(0, 2))
                    if not (here & finite).any():
                        continue
                    found = error_of_mean(values[:, here & finite])
                    row = condition | {"region": region, "quantity": quantity, "unit": unit}
                    means.append(found.assign(**row, items=(here & finite).sum(), left_out=(here & ~finite).sum()))
    keys = ["specimen", "sampling", "dose", "method"]
    for path, tables in ((averaging, means), (frc, rings), (resolution, [pd.DataFrame(ends)])):
        table = pd.concat(tables, ignore_index=True)
        first = keys + [name for name in ("region", "quantity", "unit") if name in table]
        table[first + [name for name in table if name not in first]].to_csv(
            path, index=False, float_format="%.6g", lineterminator="\n"
        )


if "snakemake" in globals():
    run(main, snakemake)
