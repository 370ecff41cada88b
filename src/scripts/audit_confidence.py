"""Spread every column's measurements over perturbed copies of its image, and hold spreads against true errors."""

from pathlib import Path

import numpy as np
import pandas as pd

from emrestore import store
from emrestore.metrics import errors_of
from emrestore.restore import open_method, restore
from emrestore.restore.confidence import column_spread, ranking
from emrestore.rng import stream
from emrestore.workflow import run

#: The image's mean displacement is taken off 'position_drift': no copy of an image shows it.
QUANTITIES = ("position", "position_drift", "scs")
KEYS = ["specimen", "sampling", "dose", "method"]


def main(
    weights: list[Path],
    pairs: list[Path],
    scores: Path,
    confidence: Path,
    table: Path,
    *,
    conditions: list[tuple[str, str]],
    methods: dict[str, dict],
    doses: list[float],
    realisations: int,
    copies: int,
    width: str,
    background: str,
    seed: int,
    tolerance: float,
) -> None:
    """Write a row per scored column, and how well spreads rank and measure errors.

    ``conditions`` are specimen and chain, ``pairs`` a path for each. ``methods``: name -> model, precision,
    prior, and whether ``weights`` has a file for it (``network``); raw images need none. Calibrated are spreads
    whose ratio to the true error, both root mean squares, is within 1 / ``tolerance`` and ``tolerance``.
    """
    measured, unread = pd.read_parquet(scores), iter(weights)
    opened = {"raw": None} | {
        name: open_method(
            made["model"],
            next(unread) if made["network"] else "auto",
            precision=made["precision"],
            prior=made["prior"],
        )
        for name, made in methods.items()
    }
    tables = []
    for (field, chain), path in zip(conditions, pairs, strict=True):
        recorded = store.read(path)
        start = np.stack([recorded.x_site.values, recorded.y_site.values], axis=-1)
        picometres = 100 * recorded.attrs["pixel_size"]
        counted = bool((recorded.counts == recorded.counts.round()).all())
        for dose in doses:
            images = recorded.counts.sel(dose=dose).isel(thickness=0, realisation=slice(realisations)).values
            for name, method in opened.items():
                for number, image in enumerate(images.astype(float)):
                    spread = column_spread(
                        image,
                        start,
                        lambda stack, method=method: stack if method is None else restore(stack, method=method),
                        stream(seed, "confidence", field, chain, dose, number),
                        copies=copies,
                        counted=counted,
                        # raw images are their own signal; in electrons the gain of their noise is one
                        gain=None if method else 1.0,
                        width=width,
                        background={"zero": 0.0, "free": None}[background],
                    )
                    key = {"specimen": field, "sampling": chain, "dose": dose, "method": f"{name}_ls"}
                    spread = spread.assign(**key, realisation=number, column=np.arange(len(spread)))
                    spread[["x_spread", "y_spread"]] *= picometres
                    tables.append(spread)
    found = pd.concat(tables, ignore_index=True)
    errors = measured.loc[
        measured["scored"], [*KEYS, "realisation", "column", "x_error", "y_error", "scs_error", "scs_clean"]
    ]
    found = found.merge(errors, on=[*KEYS, "realisation", "column"], validate="one_to_one")
    with np.errstate(divide="ignore", invalid="ignore"):
        found["scs_spread"] *= 100 / (found["dose"] * found.pop("scs_clean"))
    found["scs_error"] *= 100
    for axis in "xy":
        mean = found.groupby([*KEYS, "realisation"])[f"{axis}_error"].transform("mean")
        found[f"{axis}_error_drift"] = found[f"{axis}_error"] - mean
    found["position_spread"] = found["position_drift_spread"] = np.hypot(found["x_spread"], found["y_spread"])
    found["position_error"] = np.hypot(found["x_error"], found["y_error"])
    found["position_drift_error"] = np.hypot(found.pop("x_error_drift"), found.pop("y_error_drift"))
    rows = []
    for condition, group in found.groupby(KEYS, sort=True):
        for quantity in QUANTITIES:
            pair = errors_of(group, [f"{quantity}_error", f"{quantity}_spread"])
            scored = ranking(pair[..., 0], pair[..., 1])
            row = dict(zip(KEYS, condition, strict=True)) | {"quantity": quantity}
            rows.append(row | scored | judged(scored, tolerance))
    first = [*KEYS, "realisation", "column"]
    found[first + [name for name in found if name not in first]].to_parquet(confidence, index=False)
    pd.DataFrame(rows).to_csv(table, index=False, float_format="%.6g", lineterminator="\n")


def judged(scored: dict[str, float], tolerance: float) -> dict[str, str | bool]:
    """Say in a word whether spreads are calibrated, and whether all of the ratio's interval says so."""

    def word(ratio: float) -> str:
        if not np.isfinite(ratio):
            return "not measured"
        return "too sure" if ratio > tolerance else "too unsure" if ratio < 1 / tolerance else "calibrated"

    words = [word(scored[name]) for name in ("ratio", "ratio_low", "ratio_high")]
    return {"verdict": words[0], "decided": len(set(words)) == 1}


if "snakemake" in globals():
    run(main, snakemake)
