"""Lattices of displaced columns, restored and fitted: what networks of the experiments leave of positions.

Apart from the pairs of images (:mod:`emrestore.train.experiment`, :mod:`emrestore.train.comparison`), whose scores do
not depend on the fit.
"""

from dataclasses import replace

import numpy as np
import torch

from emrestore import rng
from emrestore.columns.response import Lattice, measure, prior_draws
from emrestore.columns.table import fit_stack
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.distort.chain import Chain
from emrestore.restore import Method
from emrestore.stats import slope


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


def position_rmse(
    method: Method,
    lattice: Lattice,
    chain: Chain,
    dose: float,
    width: float,
    fields: int,
    border: float,
    seed: int,
) -> float:
    """Measure displaced Gaussian columns in restored images that a chain has distorted.

    Effects that act on the truth as well (interpolation, annotations, cropping) are left out: columns stay where they
    are known to be.

    Parameters
    ----------
    lattice
        Where columns are at rest.
    chain
        What distorts them.
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
    float
        Root mean square error per axis of the inner columns [pm].
    """
    pm = 100 * lattice.pixel_size
    moved = prior_draws(lattice, fields, seed) * (width / pm)
    recording = replace(chain, effects=tuple(link for link in chain.effects if not link[2].both))
    expected = torch.from_numpy(lattice.expected(moved, dose)).float()[:, None]
    keys = noise.keys(rng.key(seed, "lattices"), fields)
    _, distorted, _ = chains.distort(recording, keys, expected, lattice.pixel_size, electrons=1.0)
    rows = fit_stack(method(distorted[:, 0].numpy(), lambda fraction: None), lattice.sites, "ls", "shared", "zero")
    found = rows[["x", "y"]].to_numpy().reshape(fields, -1, 2)
    return float(pm * np.sqrt(((found - lattice.sites - moved)[:, lattice.inside(border)] ** 2).mean()))


def moves_columns(chain: Chain) -> bool:
    """Tell whether a chain always moves what is in the truth, so that :func:`position_rmse` would miss its point."""
    return any(probability == 1 and effect.both for _, probability, effect in chain.effects)
