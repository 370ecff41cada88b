"""Does the mean of many images converge to the truth? Squared bias told from variance, for pixels and for columns.

The error of one of R realisations is a bias b, the same for all, and noise of mean zero: e_r = b + v_r. The mean of n
realisations has the mean squared error b² + V / n, with V the variance of the noise: without bias it falls as 1 / n for
ever, with bias it stops at b². Products of the errors of different realisations have the mean b², as their noise is
independent; so the mean over all pairs estimates b² without bias, and may be negative where there is none (a
U-statistic, Hoeffding 1948).
"""

import numpy as np
import pandas as pd
import xarray as xr

from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval


def error_of_mean(errors: np.ndarray) -> pd.DataFrame:
    """Give the mean squared error of the mean of n = 1, 2, ... R realisations, and of infinitely many: squared bias.

    Parameters
    ----------
    errors
        (R, ...) measured minus true of R >= 3 independent realisations; the other axes (pixels, columns, components)
        are averaged over.

    Returns
    -------
    DataFrame
        R + 1 rows: ``images`` (n, the last one infinite), ``mse`` [unit of errors, squared], b² + (s² - b²) / n with b²
        the mean product of different realisations and s² the mean square, which is the average over all subsets of n;
        ``share``, b² over it. Intervals of 95 % (``_low, _high``) by jackknife over realisations. Estimates of b² may
        be negative: nothing is cut off, so that their mean stays right.

        Intervals of b² hold what they say where there is bias, and are wide where there is none: for noise alone the
        jackknife gives 2 (R - 1) / (R - 2) times the variance. They err towards finding no bias.

    Raises
    ------
    EmrestoreError
        If there are fewer than three realisations, or errors are not finite.
    """
    count = len(errors)
    if count < 3 or not np.isfinite(errors).all():
        raise EmrestoreError(
            "bias is told from variance by three realisations or more of finite errors: draw more, and leave out "
            "columns that could not be measured"
        )
    flat = np.asarray(errors, dtype=float).reshape(count, -1)
    products = flat @ flat.T / flat.shape[1]
    images = np.append(np.arange(1.0, count + 1), np.inf)

    def curves(products: np.ndarray) -> np.ndarray:
        own, pairs = own_and_pairs(products)
        mse = pairs + (own - pairs) / images
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.stack([mse, pairs / mse])

    whole = curves(products)
    low, high = jackknife_interval(whole, np.stack([curves(part) for part in one_out(products)]))
    table = {"images": images}
    for place, name in enumerate(("mse", "share")):
        table |= {name: whole[place], f"{name}_low": low[place], f"{name}_high": high[place]}
    return pd.DataFrame(table)


def bias_map(errors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the bias of every pixel and its standard error.

    Parameters
    ----------
    errors
        (R, ...) of R >= 2 realisations.

    Returns
    -------
    bias, standard_error : ndarray
        (...) mean over realisations, and its standard error s / √R, in the unit of the errors. The squares of this map
        exceed squared bias by V / R on average: :func:`error_of_mean` does not.
    """
    return errors.mean(axis=0), errors.std(axis=0, ddof=1) / np.sqrt(len(errors))


def inner_pixels(geometry: xr.Dataset, border: float) -> np.ndarray:
    """Tell which pixels are at least ``border`` pitches away from the image's edges, as scored columns are: (Y, X)."""
    y, x = np.ogrid[: geometry.sizes["y"], : geometry.sizes["x"]]
    # edges lie half a pixel outside the centres of the outermost pixels
    nearest = np.minimum(np.minimum(x + 0.5, x[:, ::-1] + 0.5), np.minimum(y + 0.5, y[::-1] + 0.5))
    return nearest >= border * geometry.attrs["pitch"]


def circle_about(geometry: xr.Dataset, members: np.ndarray) -> tuple[np.ndarray, float]:
    """Give the centre x, y [px] and radius [px] of the circle about some columns, half an ångström beyond them."""
    sites = np.stack([geometry.x_site.values, geometry.y_site.values], axis=-1)[members]
    centre = sites.mean(axis=0)
    return centre, float(np.linalg.norm(sites - centre, axis=1).max() + 0.5 / geometry.attrs["pixel_size"])


def own_and_pairs(products: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average the products (..., R, R) of R realisations with themselves, and with one another."""
    count = products.shape[-1]
    own = np.trace(products, axis1=-2, axis2=-1)
    return own / count, (products.sum(axis=(-2, -1)) - own) / (count * (count - 1))


def one_out(products: np.ndarray) -> np.ndarray:
    """Leave out one realisation at a time from products (..., R, R): (R, ..., R - 1, R - 1)."""
    everyone = np.arange(products.shape[-1])
    return np.stack([products[..., np.delete(everyone, row), :][..., np.delete(everyone, row)] for row in everyone])
