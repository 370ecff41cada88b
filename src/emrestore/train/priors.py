"""How a network's belief in a lattice shows: the same network, told to expect more and more disorder."""

import numpy as np
import pandas as pd

from emrestore.columns.response import Lattice, measure, prior_draws, summarise_errors
from emrestore.restore import Method
from emrestore.stats import mean_interval

#: Columns that are not whole: quantity, and what they hold.
LACKING = {"vacancy": 0.0, "half": 0.5}


def lattice_scores(
    method: Method,
    lattice: Lattice,
    doses: list[float],
    widths: list[float],
    fields: int,
    border: float,
    seed: int,
) -> pd.DataFrame:
    """Measure Gaussian columns in restored images of shot noise: perfect, displaced, and some of them not whole.

    Parameters
    ----------
    method
        What restores.
    lattice
        Where columns are at rest.
    doses
        [e/Å²].
    widths
        Standard deviations of displacements per axis [pm]; 0 is the perfect lattice.
    fields
        Images of each.
    border
        Columns nearer to the border than this are not scored [columns].
    seed
        Root seed.

    Returns
    -------
    DataFrame
        ``dose, width, quantity, value, low, high``: ``rmse`` of positions [pm]; ``shift``, the mean error of an image
        along the fast axis [pm], and ``scatter``, the RMSE of positions less each image's mean error [pm], which is all
        that distances between columns feel; of displaced columns, ``slope`` of measured on true displacement;
        ``vacancy`` and ``half``, the cross section of columns that hold nothing or half, over that of the others
        (truth: 0 and 0.5).
    """
    pm = 100 * lattice.pixel_size
    draws = prior_draws(lattice, fields, seed)
    inside, still = lattice.inside(border), np.zeros_like(draws)
    found = []
    for dose in doses:
        for width in widths:
            design = {"experiment": "prior", "axis": "", "sign": 0, "width": width, "displacements": draws * width / pm}
            rows = measure(lattice, design, dose, method, ["ls"], seed).sort_values(["realisation", "column"])
            true, measured = (rows[names].to_numpy().reshape(draws.shape) for names in (["dx", "dy"], ["x", "y"]))
            table = summarise_errors(true, measured, lattice, border)
            table = table[table["quantity"].isin(["rmse", "slope"])]
            shifts = np.nanmean((measured - true)[:, inside], axis=1)
            about = summarise_errors(true, measured - shifts[:, None], lattice, border)
            about = about[about["quantity"] == "rmse"].assign(quantity="scatter")
            value, low, high = mean_interval(pm * shifts[:, 0])
            shift = pd.DataFrame([{"quantity": "shift", "value": value, "low": low, "high": high}])
            table = pd.concat([table, about, shift])
            found.append(table[["quantity", "value", "low", "high"]].assign(dose=dose, width=width))
        for quantity, content in LACKING.items():
            contents = np.ones(len(inside))
            contents[lattice.displaced()] = content
            design = {"experiment": quantity, "axis": "", "sign": 0, "width": 0.0, "displacements": still}
            rows = measure(lattice, design | {"contents": contents}, dose, method, ["ls"], seed)
            scs = rows.pivot(index="realisation", columns="column", values="scs").to_numpy()
            whole = np.median(scs[:, inside & (contents == 1)], axis=1)
            share = scs[:, lattice.displaced()].mean(axis=1) / whole
            value, low, high = mean_interval(share)
            row = {"quantity": quantity, "value": value, "low": low, "high": high, "dose": dose, "width": 0.0}
            found.append(pd.DataFrame([row]))
    return pd.concat(found, ignore_index=True)[["dose", "width", "quantity", "value", "low", "high"]]


def image_scores(scores: np.ndarray, strong: np.ndarray, disorder: np.ndarray, much: float) -> pd.DataFrame:
    """Summarise the PSNR of images, those of specimens without disorder and with much of it apart.

    Parameters
    ----------
    scores
        (N,) PSNR of each image as some method restores it [dB].
    strong
        (N,) that of the same images, restored by our network as it is told to expect least disorder [dB].
    disorder
        (N,) of each specimen.
    much
        Disorder from which on a specimen counts as disordered.

    Returns
    -------
    DataFrame
        ``quantity, value, low, high``: ``psnr_ordered, psnr_disordered`` and, image by image, ``gain_ordered,
        gain_disordered`` over ``strong`` [dB].
    """
    chosen = {"ordered": disorder == 0, "disordered": disorder >= much}
    values = {"psnr": scores, "gain": scores - strong}
    rows = [
        (f"{quantity}_{name}", *mean_interval(each[some]))
        for quantity, each in values.items()
        for name, some in chosen.items()
    ]
    return pd.DataFrame(rows, columns=["quantity", "value", "low", "high"])
