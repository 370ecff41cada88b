"""Fits of whole stacks as tidy tables: one row per image and column."""

import numpy as np
import pandas as pd
import torch

from emrestore.columns.crlb import bounds
from emrestore.columns.fit import fit_images

#: Estimates and standard errors that every table of fits holds.
ESTIMATES = ["x", "y", "sigma", "height", "scs", "x_se", "y_se", "scs_se", "on_bound"]


def fit_stack(images: np.ndarray, start: np.ndarray, estimator: str, width: str, background: str) -> pd.DataFrame:
    """Fit the same columns in every image of a stack.

    Parameters
    ----------
    images
        (N, Y, X), electrons.
    start
        (K, 2) starting positions x, y [px].
    estimator, width
        As :func:`emrestore.columns.fit.fit_images` takes them.
    background
        ``"zero"``, held there, or ``"free"``.

    Returns
    -------
    DataFrame
        N x K rows: ``image``, ``column``, positions [px], ``scs`` (volume [electrons x px²]), standard errors,
        ``background``, ``converged`` (of the image) and ``on_bound``.
    """
    held = {"zero": 0.0, "free": None}[background]
    fit = fit_images(images.astype(np.float64), start, estimator=estimator, width=width, background=held)
    images_count, columns = fit.x.shape
    table = {
        "image": np.repeat(np.arange(images_count), columns),
        "column": np.tile(np.arange(columns), images_count),
        **{name: getattr(fit, name).numpy().ravel() for name in ESTIMATES},
        **{name: np.repeat(getattr(fit, name).numpy(), columns) for name in ("background", "converged")},
    }
    return pd.DataFrame(table)


def poisson_bounds(
    fits: pd.DataFrame, scale: float, shape: tuple[int, int], width: str, background: str, pixel_size: float
) -> pd.DataFrame:
    """Bound the standard deviations of unbiased estimates from Poisson counts, for fitted clean images.

    Parameters
    ----------
    fits
        What :func:`fit_stack` gave for clean images, with ``thickness`` in place of ``image``.
    scale
        Expected electrons of the noisy images over those of the fitted ones.
    shape
        (Y, X) of the images [px].
    width, background
        As they were fitted.
    pixel_size
        Edge of a pixel [Å].

    Returns
    -------
    DataFrame
        ``thickness, column, crlb_x, crlb_y`` [pm] and ``crlb_scs`` [electrons x px²].
    """
    fits = fits.sort_values(["thickness", "column"])
    images = fits["thickness"].nunique()

    def each(name: str) -> torch.Tensor:
        return torch.as_tensor(fits[name].to_numpy(copy=True).reshape(images, -1))

    sigma = each("sigma") if width == "column" else each("sigma")[:, 0]
    found = bounds(
        shape,
        each("x"),
        each("y"),
        scale * each("height"),
        sigma,
        scale * each("background")[:, 0],
        width=width,
        free_background=background == "free",
    )
    return pd.DataFrame(
        {
            "thickness": fits["thickness"].to_numpy(),
            "column": fits["column"].to_numpy(),
            "crlb_x": found.x.numpy().ravel() * pixel_size * 100,
            "crlb_y": found.y.numpy().ravel() * pixel_size * 100,
            "crlb_scs": found.scs.numpy().ravel(),
        }
    )
