"""Experiments with networks: fixed pairs of images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emrestore import rng
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.distort.effect import Parameters
from emrestore.train import data

#: Edge of the images that small experiments are scored on [px], or that of the clean images, if less.
SCORED = 128


@dataclass(frozen=True)
class Pairs:
    """Fixed pairs of images.

    Attributes
    ----------
    truth, distorted
        (N, Y, X) float32 in units of the clean images.
    dose
        (N,) mean dose of each [electrons per pixel].
    pixel_size
        (N,) [Å].
    disorder
        (N,) of their specimens, from 0 to 1.
    drawn
        Parameters of the distortions, as :meth:`emrestore.distort.chain.Chain.sample` gives them.
    """

    truth: np.ndarray
    distorted: np.ndarray
    dose: np.ndarray
    pixel_size: np.ndarray
    disorder: np.ndarray
    drawn: Mapping[str, Parameters]


def draw(pool: data.Pool, chain: chains.Chain, count: int, seed: int, *address: rng.Part, edge: int = SCORED) -> Pairs:
    """Draw fixed pairs of clean and distorted images of ``edge`` pixels."""
    clean, pixel_size, disorder = data.crops(pool, min(edge, *pool.images.shape[1:]), 0, count, seed, *address)
    keys = noise.keys(rng.key(seed, *address, "distortions"), count)
    truth, distorted, drawn = chains.distort(chain, keys, clean, pixel_size)
    dose = drawn["exposure"]["electrons"] * clean.mean(dim=(1, 2, 3))
    images = truth[:, 0].numpy(), distorted[:, 0].numpy()
    return Pairs(*images, dose.numpy(), pixel_size.numpy(), disorder.numpy(), drawn)


def in_electrons(known: Pairs) -> tuple[np.ndarray, np.ndarray]:
    """Give truth and distorted images in electrons per pixel: filters have to know the noise."""
    electrons = known.drawn["exposure"]["electrons"][:, None, None].numpy()
    return known.truth * electrons, known.distorted * electrons
