"""Train one network from shards of clean images, or go on with a run that was interrupted."""

import hashlib
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import torch
from lightning_fabric import Fabric
from PIL import Image
from rich.console import Console

from emrestore.distort.chain import build as build_chain
from emrestore.errors import EmrestoreError
from emrestore.io import atomic_path
from emrestore.network import weights as weights_file
from emrestore.network.build import adopt, build
from emrestore.network.restorer import computes_bfloat16
from emrestore.plot.samples import sample_panels
from emrestore.train import data, losses
from emrestore.train.loop import Settings, train
from emrestore.workflow import git_state, run, sha256

#: Seconds between lines of a log that is not a terminal.
LOGGED = 60


def main(
    train_shards: list[Path],
    validation_shards: list[Path],
    start: Path | list[Path],
    weights: Path,
    history: Path,
    *,
    name: str,
    modality: str,
    stream: str,
    architecture: str,
    arguments: dict,
    chain: str,
    distortions: dict,
    loss: dict,
    terms: dict,
    schedule: dict,
    crops: int,
    precision: str,
    devices: int,
    tensorboard: bool,
    folder: str,
    seed: int,
    half: bool,
    code: str,
) -> dict:
    """Write the weights and the history; give the run's attempts, with step, time and commit, to its record.

    ``start`` is a file of weights to begin with, or empty for random ones; ``stream`` is of the address that crops
    and distortions are drawn by.

    ``folder`` keeps the checkpoint between attempts, sample panels of the last validation and, with ``tensorboard``,
    its logs. ``precision`` is one of Fabric's, or ``auto``: bfloat16 where the device multiplies it. ``half`` writes
    the weights in half precision, half as large. ``code`` is the digest of this code.
    """
    pools = data.load(train_shards), data.load(validation_shards)
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    if accelerator == "cuda":
        # CUDA has no deterministic median or sum along an axis, nor gradient of a reflected border
        torch.set_deterministic_debug_mode("warn")
    if precision == "auto":
        precision = "bf16-mixed" if computes_bfloat16(torch.device(accelerator)) else "32-true"
    fabric = Fabric(
        accelerator=accelerator,
        devices=devices if accelerator == "cuda" else 1,
        precision=precision,
        loggers=_loggers(folder) if tensorboard else [],
    )
    fabric.launch()
    network, origin = build(architecture, arguments, seed, "train", name), ""
    if start:
        other, known = weights_file.load(start)
        adopt(network, other)
        origin = known["tensors_sha256"]
    steps = crops // schedule["batch"]
    settings = Settings(
        steps=steps,
        warm_up=round(schedule["warm_up"] * steps),
        **{key: value for key, value in schedule.items() if key != "warm_up"},
    )
    console, shown = Console(stderr=True), time.monotonic()

    def report(row: dict) -> None:
        nonlocal shown
        if fabric.global_rank:
            return
        if "psnr" in row:
            console.log(f"{name}: step {row['step']} of {steps}, {row['psnr']:.2f} dB (raw {row['psnr_raw']:.2f})")
        elif console.is_terminal or time.monotonic() - shown > LOGGED:
            shown = time.monotonic()
            left = (steps - row["step"]) * settings.batch / row["crops_per_second"] / 60
            text = f"{row['step']} of {steps}, {row['crops_per_second']:.1f} crops/s, {left:.0f} min"
            console.print(text, end="\r" if console.is_terminal else "\n")

    def show(panels: torch.Tensor) -> None:
        if fabric.global_rank == 0:
            with atomic_path(Path(folder) / "samples.png") as temporary:
                Image.fromarray(sample_panels(panels.numpy())).save(temporary, format="png")

    network, table = train(
        network,
        *pools,
        build_chain(distortions, chain),
        losses.Weights(**loss),
        losses.Settings(**{**terms, "windows": tuple(terms["windows"])}),
        settings,
        Path(folder),
        seed,
        "train",
        stream,
        origin=origin,
        recipe={
            "images": _digest([sha256(path) for path in [*train_shards, *validation_shards]]),
            "chain": chain,
            "distortions": _digest(distortions),
            "precision": precision,
        },
        attempt={"started": datetime.now(UTC).isoformat(timespec="seconds"), "code": code, "precision": precision}
        | git_state(Path.cwd()),
        fabric=fabric,
        progress=report,
        show=show,
    )
    if fabric.global_rank:
        return {}
    provenance = {"model": modality, "run": name, "seed": seed, "crops": crops, "chain": chain, "loss": loss}
    provenance |= {"start": origin} if start else {}
    network = network.cpu().half() if half else network.cpu()
    weights_file.save(network, weights, provenance | {"psnr": float(table["psnr"].iloc[-1])})
    table.to_csv(history, index=False, float_format="%.6g", lineterminator="\n")
    return table.attrs


def _digest(known: list | dict) -> str:
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()


def _loggers(folder: str) -> list:
    from lightning_fabric.loggers import TensorBoardLogger

    try:
        return [TensorBoardLogger(folder, name="tensorboard", version="")]
    except ModuleNotFoundError as error:
        raise EmrestoreError(
            "TensorBoard's logs need a package that is not here: pip install tensorboard, or set training/tensorboard "
            "to false"
        ) from error


if "snakemake" in globals():
    run(main, snakemake)
