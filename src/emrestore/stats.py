"""Statistics of repeated measurements: pooled bias, standard deviation and RMSE with intervals.

The independent unit is the realisation (one noisy image): columns of one restored image share whatever the network did
to it, so they are pooled first, and every interval comes from leaving out one realisation at a time.
"""

import numpy as np
from scipy.stats import t as student_t


def jackknife_interval(
    statistic: np.ndarray, leave_one_out: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Give a confidence interval from leave-one-out values, symmetric on the scale that they are given on.

    Parameters
    ----------
    statistic
        (...) value from all realisations.
    leave_one_out
        (n, ...) the value without each realisation.
    level
        Coverage.

    Returns
    -------
    low, high : ndarray
        (...) bounds: statistic ± t(n - 1) x jackknife standard error (Efron and Stein 1981).
    """
    n = len(leave_one_out)
    spread = leave_one_out - leave_one_out.mean(axis=0)
    error = np.sqrt((n - 1) / n * (spread**2).sum(axis=0))
    half = student_t.ppf(0.5 + level / 2, n - 1) * error
    return statistic - half, statistic + half


def pooled(errors: np.ndarray, level: float = 0.95) -> dict[str, float]:
    """Pool the errors of columns over realisations into bias, standard deviation and RMSE.

    With e[r, k] the error of column k in realisation r: ``bias`` is the mean over both; ``bias_rms`` the root mean
    square over columns of the column's mean error, less the variance of that mean (zero where noise explains it);
    ``std`` the root of the mean over columns of the variance over realisations (n - 1 in the denominator); ``rmse`` the
    root mean square of all errors.

    Parameters
    ----------
    errors
        (realisations, columns, components) measured minus true, at least three realisations, no NaN. Components are
        pooled: x and y of a position, or one.
    level
        Coverage of the intervals.

    Returns
    -------
    dict
        ``bias, bias_rms, std, rmse``, each with ``_low`` and ``_high``, in the unit of ``errors``, and ``n``, which
        counts realisations x columns. Intervals of std and rmse are symmetric in their logarithm, that of bias_rms in
        its square.

    Raises
    ------
    ValueError
        If there are fewer than three realisations or values are not finite.
    """
    if errors.ndim != 3 or len(errors) < 3 or not np.isfinite(errors).all():
        raise ValueError("errors must be finite, (realisations >= 3, columns >= 1, components)")
    n = len(errors)
    total, squares = errors.sum(axis=0), (errors**2).sum(axis=0)

    def summary(count: int, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
        mean = total / count
        variance = np.maximum((squares - count * mean**2) / (count - 1), 0.0).mean(axis=(-2, -1))
        mean_square = (squares / count).mean(axis=(-2, -1))
        bias_square = (mean**2).mean(axis=(-2, -1)) - variance / count
        return np.stack([mean.mean(axis=(-2, -1)), np.log(variance) / 2, np.log(mean_square) / 2, bias_square], axis=-1)

    with np.errstate(divide="ignore", invalid="ignore"):
        everything = summary(n, total, squares)
        one_out = summary(n - 1, total - errors, squares - errors**2)
        low, high = jackknife_interval(everything, one_out, level)
        low, high = np.nan_to_num(low, nan=-np.inf), np.nan_to_num(high, nan=-np.inf)
    values = {"bias": everything[0], "bias_low": low[0], "bias_high": high[0]}
    for ending, square in (("", everything[3]), ("_low", low[3]), ("_high", high[3])):
        values["bias_rms" + ending] = max(square, 0.0) ** 0.5
    for place, name in ((1, "std"), (2, "rmse")):
        values |= {
            name: np.exp(everything[place]),
            f"{name}_low": np.exp(low[place]),
            f"{name}_high": np.exp(high[place]),
        }
    return {key: float(item) for key, item in values.items()} | {"n": int(n * errors.shape[1])}


def slope(x: np.ndarray, y: np.ndarray, level: float = 0.95) -> dict[str, float]:
    """Fit y = slope x + offset by least squares, pooled over realisations, with a jackknife interval.

    Parameters
    ----------
    x, y
        (realisations, points); x the true displacements, y the measured ones.

    Returns
    -------
    dict
        ``slope, slope_low, slope_high``.
    """

    def fit(sx, sy, sxx, sxy, count):
        return (sxy - sx * sy / count) / (sxx - sx * sx / count)

    sums = [x.sum(1), y.sum(1), (x * x).sum(1), (x * y).sum(1), np.full(len(x), float(x.shape[1]))]
    total = [item.sum() for item in sums]
    everything = fit(*total)
    low, high = jackknife_interval(
        everything, fit(*[whole - part for whole, part in zip(total, sums, strict=True)]), level
    )
    return {"slope": float(everything), "slope_low": float(low), "slope_high": float(high)}


def mean_interval(values: np.ndarray, level: float = 0.95) -> tuple[float, float, float]:
    """Give the mean and its interval by Student's t; NaN where there are fewer than two values."""
    mean, n = float(np.mean(values)), len(values)
    if n < 2:
        return mean, np.nan, np.nan
    half = student_t.ppf(0.5 + level / 2, n - 1) * np.std(values, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half
