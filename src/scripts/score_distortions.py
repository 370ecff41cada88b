"""Judge networks that learned right and wrong models of the distortions, under the right one; keep panels of each."""

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from emrestore import store
from emrestore.columns.response import Lattice
from emrestore.metrics import image_scores, psnr
from emrestore.restore import Identity, open_method
from emrestore.train import comparison, data, experiment, lattices
from emrestore.workflow import run


def main(
    weights: list[Path],
    validation_shards: list[Path],
    scores: Path,
    panels: Path,
    *,
    runs: list[list],
    model: str,
    distortions: dict,
    chain: str,
    conditions: dict,
    pairs: int,
    shown: float,
    panel: int,
    columns: dict,
    border: float,
    seed: int,
) -> None:
    """Write a row per condition, network and seed, and the panels of each condition that shows a chain's fault.

    ``runs`` are chain and seed of each file of weights. Panels are of the first seed: the pair at the quantile
    ``shown`` of what the right chain gains in PSNR over the wrong one, its central ``panel`` pixels, over the truth's
    maximum.
    """
    pool = data.load(validation_shards)
    lattice = Lattice(**{key: columns[key] for key in Lattice.__annotations__})
    methods = {("raw", 0): Identity()}
    methods |= {
        tuple(made): open_method(model, path, precision="fp32") for made, path in zip(runs, weights, strict=True)
    }
    first = {network: number for network, number in reversed(methods)}
    rows, seen = [], {}
    for name, condition in conditions.items():
        right = comparison.changed(distortions, chain, condition["changes"])
        known = experiment.draw(pool, right, pairs, seed, "scores")
        moved = lattices.moves_columns(right)
        images = {"raw": known.distorted}
        for (network, number), method in methods.items():
            restored = method(known.distorted, lambda fraction: None)
            row = {"condition": name, "network": network, "seed": number} | image_scores(restored, known.truth)
            row |= comparison.artefacts(restored, known.truth)
            arguments = (columns["dose"], columns["displacement"], columns["fields"], border, seed)
            row["position_rmse"] = np.nan if moved else lattices.position_rmse(method, lattice, right, *arguments)
            rows.append(row)
            if number == first[network]:
                images[network] = restored
        if (wrong := condition.get("shows")) in images:
            images = {"raw": images["raw"], "wrong": images[wrong], "right": images[chain], "truth": known.truth}
            seen[name] = chosen(images, known, shown, panel) | {"shows": wrong}
    pd.DataFrame(rows).to_csv(scores, index=False, float_format="%.6g", lineterminator="\n")
    parameters = {"chain": chain, "conditions": conditions, "pairs": pairs, "shown": shown, "seed": seed}
    store.write(dataset(seen), panels, parameters | {"runs": runs})


def chosen(images: dict[str, np.ndarray], known: experiment.Pairs, shown: float, panel: int) -> dict:
    """Choose the pair that is shown, and give its images, scores and circumstances."""
    peak = known.truth.max(axis=(1, 2))
    quality = {name: psnr(images[name], known.truth, peak) for name in ("raw", "wrong", "right")}
    order = np.argsort(quality["right"] - quality["wrong"], kind="stable")
    number = int(order[round(shown * (len(order) - 1))])
    start = (known.truth.shape[1] - panel) // 2
    centre = slice(start, start + panel)
    return {
        "images": np.stack([stack[number, centre, centre] for stack in images.values()]) / peak[number],
        "psnr": [quality[name][number] for name in quality],
        "pixel_size": known.pixel_size[number],
        "dose": known.dose[number],
        "pair": number,
    }


def dataset(seen: dict[str, dict]) -> xr.Dataset:
    """Lay out the panels: (condition, image, y, x), images in half precision."""
    stacks = list(seen.values())
    half = np.stack([stack["images"] for stack in stacks]).astype(np.float16)
    return xr.Dataset(
        {
            "image": (("condition", "kind", "y", "x"), half, {"units": "maximum of the undistorted image"}),
            "psnr": (("condition", "restored"), [stack["psnr"] for stack in stacks], {"units": "dB"}),
            "pixel_size": ("condition", [stack["pixel_size"] for stack in stacks], {"units": "Å"}),
            "dose": ("condition", [stack["dose"] for stack in stacks], {"units": "electrons per pixel"}),
            "pair": ("condition", [stack["pair"] for stack in stacks]),
            "shows": ("condition", [stack["shows"] for stack in stacks]),
        },
        coords={
            "condition": list(seen),
            "kind": ["raw", "wrong", "right", "truth"],
            "restored": ["raw", "wrong", "right"],
        },
    )


if "snakemake" in globals():
    run(main, snakemake)
