"""Detect, fit and match the columns of recordings without knowing where they are, beside fits from the true start."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.columns.matching import depth, fit_blind, match_stack, pool
from emrestore.workflow import run


def main(
    pairs: Path,
    truth: Path,
    images: list[Path],
    fits: list[Path],
    table: Path,
    *,
    methods: list[str],
    realisations: int,
    border: float,
    width: str,
    background: str,
) -> None:
    """Write precision, recall, F1 and errors of matched columns per dose and method.

    ``images`` and ``fits`` hold a path for each method. A fitted column is matched to one of the clean fit
    within half the distance of columns; columns near the border are not asked for. ``known_position`` and ``known_scs``
    are the errors of the same columns of the same images, matched or not, fitted from the true start.
    """
    geometry, clean = store.read(pairs), pd.read_parquet(truth)
    pixel_size, pitch = geometry.attrs["pixel_size"], geometry.attrs["pitch"]
    true = clean[clean["estimator"] == "ls"].sort_values("column").reset_index(drop=True)
    rows = []
    for method, path, started in zip(methods, images, fits, strict=True):
        counts = store.read(path).counts.sel(thickness=0).isel(realisation=slice(realisations))
        known = pd.read_parquet(started)
        known = known[(known["estimator"] == "ls") & (known["realisation"] < realisations)]
        for dose in counts.dose.values:
            stack = counts.sel(dose=dose).values
            found, status = fit_blind(stack, width=width, background=background)
            found["scs"] /= dose
            matched, scores = match_stack(found, status, true, stack.shape[-2:], pitch / 2, border * pitch)
            row = {"dose": dose, "method": method} | pool(matched, scores)
            for name in ("position", "position_low", "position_high"):
                row[name] *= 100 * pixel_size
            for name in ("scs", "scs_low", "scs_high"):
                row[name] *= 100
            inside = depth(true[["x", "y"]].to_numpy(), stack.shape[-2:]) >= border * pitch
            error = known[known["dose"] == dose].merge(true.loc[inside, ["column", "x", "y", "scs"]], on="column")
            distance = np.hypot(error["x_x"] - error["x_y"], error["y_x"] - error["y_y"])
            row["known_position"] = 100 * pixel_size * distance.mean()
            row["known_scs"] = 100 * (error["scs_x"] / error["scs_y"] - 1).abs().mean()
            rows.append(row)
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
