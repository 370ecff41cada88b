"""The same model fitted by lmfit: one image at a time, the yardstick of :mod:`emrestore.columns.fit`."""

import lmfit
import numpy as np
import pandas as pd
from scipy.special import xlogy

from emrestore.errors import EmrestoreError


def fit_lmfit(
    image: np.ndarray,
    positions: np.ndarray,
    *,
    sigma: float,
    estimator: str = "ls",
    width: str = "shared",
    max_shift: float = np.inf,
) -> pd.DataFrame:
    """Fit all columns of one image jointly with lmfit's least squares.

    Parameters
    ----------
    image
        (Y, X); electron counts for ``"ml"``.
    positions
        (K, 2) starting positions x, y [px].
    sigma
        Starting width [px].
    estimator
        ``"ls"``: residuals; ``"ml"``: signed roots of the Poisson deviance, whose sum of squares is twice the
        deviance.
    width
        ``"shared"``: the widths of all columns are tied to the first one's; ``"column"``: each has its own.
    max_shift
        Furthest that a column may move along either axis [px].

    Returns
    -------
    pandas.DataFrame
        ``x, y, sigma`` [px], ``height, background`` [image units], ``scs`` [image units x px^2] of each
        column.

    Raises
    ------
    EmrestoreError
        If lmfit does not converge.
    """
    image, count = np.asarray(image, dtype=float), len(positions)
    lines, rows = np.arange(image.shape[1]), np.arange(image.shape[0])
    parameters = lmfit.Parameters()
    low, high = image.min(), image.max()
    parameters.add("background", low + 0.01 * (high - low), min=-np.inf if estimator == "ls" else 0)
    for k, (x, y) in enumerate(positions):
        parameters.add(f"height{k}", 0.9 * (high - low), min=0)
        parameters.add(f"x{k}", x, min=x - max_shift, max=x + max_shift)
        parameters.add(f"y{k}", y, min=y - max_shift, max=y + max_shift)
        if k == 0 or width == "column":
            parameters.add(f"sigma{k}", sigma, min=sigma / 4, max=4 * sigma)

    def unpack(values) -> tuple[np.ndarray, ...]:
        fitted = [np.array([values[f"{name}{k}"] for k in range(count)]) for name in ("x", "y", "height")]
        tied = [values[f"sigma{k if width == 'column' else 0}"] for k in range(count)]
        return *fitted, np.array(tied)

    def residual(values: lmfit.Parameters) -> np.ndarray:
        values = values.valuesdict()
        x, y, height, sigma = (item[:, None] for item in unpack(values))
        v, u = np.exp(-0.5 * ((rows - y) / sigma) ** 2), np.exp(-0.5 * ((lines - x) / sigma) ** 2)
        mu = (height * v).T @ u + values["background"]
        if estimator == "ls":
            return (image - mu).ravel()
        mu = np.maximum(mu, 1e-300)
        deviance = 2 * (mu - image + xlogy(image, image / mu))
        return (np.sign(image - mu) * np.sqrt(np.maximum(deviance, 0))).ravel()

    result = lmfit.minimize(residual, parameters, method="leastsq", ftol=1e-12, xtol=1e-12)
    if not result.success:
        raise EmrestoreError(f"lmfit did not converge ({result.message.strip()}): start closer to the columns.")
    values = result.params.valuesdict()
    x, y, height, sigma = unpack(values)
    table = {"x": x, "y": y, "sigma": sigma, "height": height, "background": values["background"]}
    return pd.DataFrame(table | {"scs": 2 * np.pi * sigma**2 * height})


def fit_lmfit_windows(
    image: np.ndarray,
    positions: np.ndarray,
    radius: float,
    *,
    sigma: float,
    estimator: str = "ls",
    max_shift: float = np.inf,
) -> pd.DataFrame:
    """Fit each column alone, on the window that :func:`emrestore.columns.fit.fit_windows` cuts; see
    :func:`fit_lmfit`."""
    image, positions, side = (
        np.asarray(image, dtype=float),
        np.asarray(positions, dtype=float),
        int(2 * radius + 1),
    )
    limit = np.array(image.shape[::-1]) - side
    tables = []
    for position in positions:
        left, top = np.clip(np.rint(position - 0.5 * (side - 1)).astype(int), 0, limit)
        window, start = image[top : top + side, left : left + side], position - (left, top)
        table = fit_lmfit(window, start[None], sigma=sigma, estimator=estimator, max_shift=max_shift)
        tables.append(table.assign(x=table.x + left, y=table.y + top))
    return pd.concat(tables, ignore_index=True)
