"""Experiments with networks: fixed pairs of images, and scores of columns."""

import numpy as np

from emrestore import rng
from emrestore.columns.response import Lattice, measure, prior_draws
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.restore import Method
from emrestore.stats import slope
from emrestore.train import data

#: Edge of the images that are scored [px], or that of the clean images, if less.
SCORED = 128


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
