"""Experiments with networks: fixed pairs of images, and scores of columns."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from emrestore import rng
from emrestore.columns.response import Lattice, measure, prior_draws
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.distort.effect import Parameters
from emrestore.restore import Method
from emrestore.stats import slope
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


def column_scores(
    method: Method, lattice: Lattice, dose: float, width: float, fields: int, border: float, seed: int
) -> dict:
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
    border
        Columns nearer to the border than this are not scored [columns].

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
    inside = lattice.inside(border)

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
