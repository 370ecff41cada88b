"""Train one network from shards of clean images, or go on with a run that was interrupted."""

from pathlib import Path

import torch
from lightning_fabric import Fabric
from rich.console import Console

from emrestore.distort.chain import build as build_chain
from emrestore.network import weights as weights_file
from emrestore.train import data, experiment, losses
from emrestore.train.loop import Settings, train
from emrestore.workflow import run


def main(
    train_shards: list[Path],
    validation_shards: list[Path],
    weights: Path,
    history: Path,
    *,
    name: str,
    modality: str,
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
    folder: str,
    seed: int,
) -> None:
    """Write the running average of the weights, and the history; ``folder`` keeps the checkpoint between attempts."""
    pools = data.load(train_shards), data.load(validation_shards)
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    fabric = Fabric(accelerator=accelerator, devices=devices if accelerator == "cuda" else 1, precision=precision)
    fabric.launch()
    network = experiment.build(architecture, arguments, seed, "train", name)
    steps = crops // schedule["batch"]
    settings = Settings(
        steps=steps,
        warm_up=round(schedule["warm_up"] * steps),
        **{key: value for key, value in schedule.items() if key != "warm_up"},
    )
    console = Console(stderr=True)

    def report(row: dict) -> None:
        if fabric.global_rank:
            return
        if "psnr" in row:
            console.log(f"{name}: step {row['step']} of {steps}, {row['psnr']:.2f} dB (raw {row['psnr_raw']:.2f})")
        elif console.is_terminal:
            left = (steps - row["step"]) * settings.batch / row["crops_per_second"] / 60
            console.print(f"{row['step']} of {steps}, {row['crops_per_second']:.0f} crops/s, {left:.0f} min", end="\r")

    average, table = train(
        network,
        *pools,
        build_chain(distortions, chain),
        losses.Weights(**loss),
        losses.Settings(**{**terms, "windows": tuple(terms["windows"])}),
        settings,
        Path(folder),
        seed,
        "train",
        modality,
        fabric=fabric,
        progress=report,
    )
    if fabric.global_rank == 0:
        provenance = {"model": modality, "run": name, "seed": seed, "crops": crops, "chain": chain, "loss": loss}
        weights_file.save(average.cpu(), weights, provenance | {"psnr": float(table["psnr"].iloc[-1])})
        table.to_csv(history, index=False, float_format="%.6g", lineterminator="\n")


if "snakemake" in globals():
    run(main, snakemake)
