"""Experiments with networks: building one from the configuration, its cost, and its scores on fixed images."""

import time

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from emrestore import rng
from emrestore.columns.response import Lattice, measure, prior_draws
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.errors import EmrestoreError
from emrestore.network.restorer import Restorer
from emrestore.network.weights import ARCHITECTURES
from emrestore.restore import Method
from emrestore.stats import slope
from emrestore.train import data

#: Edge of the images that are scored [px], or that of the clean images, if less.
SCORED = 128


def build(architecture: str, arguments: dict, seed: int, *address: rng.Part) -> Restorer:
    """Make a network with weights drawn from a named stream.

    Raises
    ------
    EmrestoreError
        If there is no such architecture, or it does not take these arguments.
    """
    if architecture not in ARCHITECTURES:
        raise EmrestoreError(f"there is no network {architecture!r}; choose one of {', '.join(ARCHITECTURES)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(rng.integer_seed(seed, *address, "weights"))
        try:
            return ARCHITECTURES[architecture](**arguments)
        except TypeError as error:
            raise EmrestoreError(f"{architecture} cannot be built from {arguments}: {error}") from error


def parameters(network: Restorer) -> int:
    """Count the parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def multiply_adds(network: Restorer, edge: int = 256) -> float:
    """Count the multiply-adds of convolutions per pixel of an image of edge x edge."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        network(torch.zeros(1, 1, edge, edge))
    return counter.get_total_flops() / 2 / edge**2


def pairs(
    pool: data.Pool, chain: chains.Chain, count: int, seed: int, *address: rng.Part
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw fixed pairs of clean and distorted images, and the disorder of their specimens.

    Images are (count, Y, X) of :data:`SCORED` pixels, in electrons: filters have to know the noise.
    """
    clean, pixel_size, disorder = data.crops(pool, min(SCORED, *pool.images.shape[1:]), 0, count, seed, *address)
    keys = noise.keys(rng.key(seed, *address, "distortions"), count)
    truth, distorted, drawn = chains.distort(chain, keys, clean, pixel_size)
    electrons = drawn["exposure"]["electrons"][:, None, None]
    return (truth[:, 0] * electrons).numpy(), (distorted[:, 0] * electrons).numpy(), disorder.numpy()


def column_scores(method: Method, lattice: Lattice, dose: float, width: float, fields: int, seed: int) -> dict:
    """Measure displaced Gaussian columns in restored images of shot noise alone.

    Parameters
    ----------
    lattice
        Where columns are at rest.
    dose
        [e/Å²].
    width
        Standard deviation of their displacements per axis [pm].
    fields
        Images.

    Returns
    -------
    dict
        Of the inner columns: ``position_rmse`` per axis [pm], ``slope`` of measured on true displacement, and
        ``scs_bias``, the mean error of cross sections [%].
    """
    pm = 100 * lattice.pixel_size
    moved = prior_draws(lattice, fields, seed) * (width / pm)
    design = {"experiment": "prior", "axis": "", "sign": 0, "width": width, "displacements": moved}
    rows = measure(lattice, design, dose, method, ["ls"], seed)
    inside = lattice.inside(1)

    def each(names: list[str]) -> np.ndarray:
        return pm * rows.sort_values(["realisation", "column"])[names].to_numpy().reshape(fields, -1, 2)[:, inside]

    true, found = each(["dx", "dy"]), each(["x", "y"])
    kept = slope(true.reshape(fields, -1), found.reshape(fields, -1))
    volume = 2 * np.pi * lattice.sigma**2 * lattice.height * dose
    scs = rows.loc[inside[rows["column"]], "scs"].mean() / volume
    return {
        "position_rmse": float(np.sqrt(((found - true) ** 2).mean())),
        "slope": kept["slope"],
        "scs_bias": float(100 * (scs - 1)),
    }


def seconds(method: Method, edge: int = 256, repeats: int = 3) -> float:
    """Time the restoration of one image of edge x edge [s], the fastest of some."""
    image = np.random.default_rng(0).poisson(5.0, (1, edge, edge)).astype(np.float32)
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        method(image, lambda fraction: None)
        times.append(time.perf_counter() - started)
    return min(times)
