"""Tabulate what methods do to images unlike those that networks were trained on, and to displaced columns."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.audit import displacement_slope
from emrestore.metrics import errors_of, psnr
from emrestore.pairs import expected_counts
from emrestore.stats import jackknife_interval
from emrestore.workflow import run


def main(
    scores: Path,
    pairs: list[Path],
    restored: list[Path],
    table: Path,
    *,
    conditions: list[tuple[str, str, list[str]]],
    disordered: list[str],
) -> None:
    """Write PSNR [dB, the clean image's range as MAX], its gain over the raw image, and slopes of disordered crystals.

    ``conditions`` are specimen, chain and methods; ``restored`` holds a path for each method but raw. Slopes are of
    displacements measured off the sites against those of the clean fit: 1 is faithful, 0 is the lattice.
    """
    rows, unread = [], iter(restored)
    for place, (specimen, chain, methods) in enumerate(conditions):
        source = store.read(pairs[place])
        for method in methods:
            counts = (source if method == "raw" else store.read(next(unread))).counts
            for dose in counts.dose.values:
                clean = expected_counts(source.clean.values[0], dose, source.attrs["pixel_size"])
                of_dose = source.counts.sel(dose=dose, thickness=0).values.astype(float)
                # MAX of a uniform image is its level
                extent = np.ptp(clean) if np.ptp(clean) > 0 else clean.max()
                found = psnr(counts.sel(dose=dose, thickness=0).values.astype(float), clean, extent)
                raw = psnr(of_dose[: len(found)], clean, extent)
                condition = {"specimen": specimen, "sampling": chain, "dose": dose, "method": method}
                rows.append(condition | {"quantity": "psnr", "unit": "dB"} | _mean(found))
                if method != "raw":
                    rows.append(condition | {"quantity": "psnr_gain", "unit": "dB"} | _mean(found - raw))
    measured = pd.read_parquet(scores)
    measured = measured[measured["specimen"].isin(disordered) & measured["scored"]]
    for (specimen, chain, dose, method), group in measured.groupby(["specimen", "sampling", "dose", "method"]):
        pair = errors_of(group, ["ux_clean", "uy_clean", "ux", "uy"])
        slope = displacement_slope(pair[..., :2], pair[..., 2:])
        found = {"value": slope["slope"], "low": slope["slope_low"], "high": slope["slope_high"]}
        condition = {"specimen": specimen, "sampling": chain, "dose": dose, "method": method}
        count = {"n": slope["n"], "left_out": slope["left_out"]}
        rows.append(condition | {"quantity": "slope", "unit": "1"} | found | count)
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


def _mean(values: np.ndarray) -> dict[str, float]:
    """Give the mean over realisations with its interval of 95 %."""
    low, high = jackknife_interval(values.mean(), (values.sum() - values) / (len(values) - 1))
    return {"value": values.mean(), "low": low, "high": high, "n": len(values), "left_out": 0}


if "snakemake" in globals():
    run(main, snakemake)
