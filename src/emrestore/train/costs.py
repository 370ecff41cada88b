"""What a network costs: parameters, operations, time."""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from emrestore.network.restorer import Restorer
from emrestore.restore import Method


def parameters(network: Restorer) -> int:
    """Count the parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: Restorer, edge: int = 256) -> float:
    """Count the multiply-adds of convolutions per pixel of an image of edge x edge."""
    device = next(network.parameters()).device
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, edge, edge, device=device))
    return counter.get_total_flops() / 2 / edge**2


def seconds(method: Method, edge: int = 256, repeats: int = 3) -> float:
    """Time the restoration of one image of edge x edge [s], the fastest of some."""
    image = np.random.default_rng(0).poisson(5.0, (1, edge, edge)).astype(np.float32)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        method(image, lambda fraction: None)
        times.append(time.perf_counter() - started)
    return min(times)
