"""Time training steps of every network, and how much of a matrix product's rate they reach on the same cores.

Run on an idle machine: ``python benchmarks/train.py [threads]``; one thread unless told otherwise. A step is forward,
backward and update of one batch of crops that are there already; what drawing and distorting crops adds is its own row.
"""

import sys
import time
from pathlib import Path

import torch
import yaml
from _record import record
from torch.utils.flop_counter import FlopCounterMode

from emrestore import rng
from emrestore.config import unwrap
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.network.build import build
from emrestore.train import losses

THREADS = int(sys.argv[1]) if len(sys.argv) > 1 else 1
EDGE, BATCH, DEVICE = 128, 8, "cuda" if torch.cuda.is_available() else "cpu"
CONFIG = yaml.safe_load((Path(__file__).parents[1] / "config/config.yaml").read_text(encoding="utf-8"))
NETWORKS = {
    "compact": ("Compact", {}),
    "NAFNet": ("NAFNet", {}),
    "MR-UNET": ("MRUNet", {}),
    "GRDN": ("GRDN", {}),
    "CGRDN": ("CGRDN", {}),
}


def seconds(call, least: float = 4.0) -> float:
    """Time a call: the fastest of as many as take some seconds, at least two."""
    call()
    times, begun = [], time.perf_counter()
    while len(times) < 2 or time.perf_counter() - begun < least:
        start = time.perf_counter()
        call()
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - start)
    return min(times)


def product_rate() -> float:
    """Give the multiply-adds per second of a product of bfloat16 matrices."""
    a, b = (torch.randn(2048, 2048, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    return 2048**3 / seconds(lambda: a @ b)


def step(network: torch.nn.Module, batch: torch.Tensor, truth: torch.Tensor) -> None:
    """Take one step in bfloat16, with all terms of the loss but the adversarial one."""
    with torch.autocast(DEVICE, torch.bfloat16):
        restored = network(batch)
    weights = losses.Weights(**unwrap(CONFIG["training"]["loss"]))
    terms = unwrap(CONFIG["training"]["terms"])
    found = losses.terms(
        restored.float(), truth, weights, losses.Settings(**terms | {"windows": tuple(terms["windows"])})
    )
    losses.total(found, weights).backward()


def main() -> None:
    """Measure and record."""
    torch.set_num_threads(THREADS)
    rate = product_rate()
    record("train", "bfloat16 matrix product", rate / 1e9, "GMAC/s", cores=THREADS, packages=("torch",))
    chain = chains.build(unwrap(CONFIG["distortions"]), "stem")
    clean = torch.rand(BATCH, 1, EDGE, EDGE)
    keys = noise.keys(rng.key(1, "benchmark"), BATCH)
    drawn = seconds(lambda: chains.distort(chain, keys, clean, torch.full((BATCH,), 0.1)))
    record("train", f"distorting crops of {EDGE}", BATCH / drawn, "crops/s", cores=THREADS)
    for name, (architecture, arguments) in NETWORKS.items():
        network = build(architecture, arguments, 1).to(DEVICE, memory_format=torch.channels_last)
        optimiser = torch.optim.AdamW(network.parameters(), 1e-4)
        batch = torch.randn(BATCH, 1, EDGE, EDGE, device=DEVICE).contiguous(memory_format=torch.channels_last)
        truth = torch.rand(BATCH, 1, EDGE, EDGE, device=DEVICE)

        def whole(network=network, optimiser=optimiser, batch=batch, truth=truth) -> None:
            optimiser.zero_grad()
            step(network, batch, truth)
            optimiser.step()

        taken = seconds(whole)
        # forward and backward as they are counted, without the loss's few
        with FlopCounterMode(display=False) as counter:
            network(batch).float().square().mean().backward()
        reached = counter.get_total_flops() / 2 / taken
        record("train", f"{name}, crops of {EDGE}", BATCH / taken, "crops/s", cores=THREADS, packages=("torch",))
        record(
            "train",
            f"{name}, multiply-adds",
            reached / 1e9,
            "GMAC/s",
            reference="bfloat16 matrix product",
            ratio=reached / rate,
            cores=THREADS,
        )


if __name__ == "__main__":
    main()
