"""Fits of whole stacks as tidy tables: one row per image and column."""

import numpy as np
import pandas as pd

from emrestore.columns.fit import fit_images

#: Estimates and standard errors that every table of fits holds.
ESTIMATES = ["x", "y", "sigma", "height", "scs", "x_se", "y_se", "scs_se", "on_bound"]


def fit_stack(images: np.ndarray, start: np.ndarray, estimator: str, width: str) -> pd.DataFrame:
    """Fit the same columns in every image of a stack.

    Parameters
    ----------
    images
        (N, Y, X), electrons.
    start
        (K, 2) starting positions x, y [px].
    estimator, width
        As :func:`emrestore.columns.fit.fit_images` takes them.

    Returns
    -------
    DataFrame
        N x K rows: ``image``, ``column``, positions [px], ``scs`` (volume [electrons x px²]), standard errors,
        ``background``, ``converged`` (of the image) and ``on_bound``.
    """
    fit = fit_images(images.astype(np.float64), start, estimator=estimator, width=width)
    images_count, columns = fit.x.shape
    table = {
        "image": np.repeat(np.arange(images_count), columns),
        "column": np.tile(np.arange(columns), images_count),
        **{name: getattr(fit, name).numpy().ravel() for name in ESTIMATES},
        **{name: np.repeat(getattr(fit, name).numpy(), columns) for name in ("background", "converged")},
    }
    return pd.DataFrame(table)
