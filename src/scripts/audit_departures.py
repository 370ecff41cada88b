"""Tabulate what methods do to images unlike those that networks were trained on, and to displaced columns."""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

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
    columns: Path,
    table: Path,
    *,
    conditions: list[tuple[str, str, list[str]]],
    disordered: list[str],
    core: str,
) -> None:
    """Write PSNR [dB, the clean image's range as MAX], its gain over the raw image, and slopes of disordered crystals.

    ``conditions`` are specimen, chain and methods; ``restored`` holds a path for each method but raw. Slopes are of
    displacements measured off the sites against those of the clean fit: 1 is faithful, 0 is the lattice. The columns of
    ``core`` have no lattice; there the displacement is that from the middle of a column's four nearest neighbours.
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
    marked = pd.read_csv(columns)
    source = store.read(pairs[[name for name, _, _ in conditions].index(core)])
    marked = marked["core"].to_numpy()[source.cell_column.values]
    sites = np.stack([source.x_site.values, source.y_site.values], axis=-1)
    neighbours = cKDTree(sites).query(sites[marked], k=5)[1][:, 1:]
    for (chain, dose, method), group in measured[measured["specimen"] == core].groupby(["sampling", "dose", "method"]):
        clean, found = np.split(errors_of(group, ["ux_clean", "uy_clean", "ux", "uy"]), 2, axis=-1)
        rest = sites[marked] - sites[neighbours].mean(axis=1)
        rest = 100 * source.attrs["pixel_size"] * rest  # pm
        clean, found = (rest + u[:, marked] - u[:, neighbours].mean(axis=2) for u in (clean, found))
        rows.append(_slope(core, chain, dose, method, clean, found))
    measured = measured[measured["specimen"].isin(disordered) & measured["scored"]]
    for (specimen, chain, dose, method), group in measured.groupby(["specimen", "sampling", "dose", "method"]):
        pair = errors_of(group, ["ux_clean", "uy_clean", "ux", "uy"])
        rows.append(_slope(specimen, chain, dose, method, pair[..., :2], pair[..., 2:]))
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


def _slope(specimen: str, chain: str, dose: float, method: str, true: np.ndarray, measured: np.ndarray) -> dict:
    """Give the row of a slope."""
    found = displacement_slope(true, measured)
    row = {"specimen": specimen, "sampling": chain, "dose": dose, "method": method, "quantity": "slope", "unit": "1"}
    row |= {"value": found["slope"], "low": found["slope_low"], "high": found["slope_high"]}
    return row | {"n": found["n"], "left_out": found["left_out"]}


def _mean(values: np.ndarray) -> dict[str, float]:
    """Give the mean over realisations with its interval of 95 %."""
    low, high = jackknife_interval(values.mean(), (values.sum() - values) / (len(values) - 1))
    return {"value": values.mean(), "low": low, "high": high, "n": len(values), "left_out": 0}


if "snakemake" in globals():
    run(main, snakemake)
