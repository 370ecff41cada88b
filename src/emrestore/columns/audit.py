"""What restoration does to measurements: bias and variance of every column, and the bounds that estimators obey.

No unbiased estimator has a covariance below the inverse Fisher matrix F⁻¹ (:mod:`emrestore.columns.crlb`). A restored
image makes biased estimates, and two other bounds hold for it. With m(θ) the mean of the estimate and M = dm/dθ, which
is I + db/dθ for a bias b, its covariance is at least M F⁻¹ Mᵀ (van den Bos, Parameter Estimation for Scientists and
Engineers, 2007, section 4.5; the biased Cramér-Rao bound). And where θ is drawn from a normal prior of covariance P, no
estimator at all has a mean squared error, averaged over prior and noise, below (E[F] + P⁻¹)⁻¹ (van Trees, Detection,
Estimation, and Modulation Theory I, 1968, section 2.4.3).
"""

import numpy as np
import torch
from scipy.linalg import cho_factor, cho_solve
from scipy.stats import t as student_t

from emrestore.columns.model import REACH, evaluate, layout, render
from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval, slope

# --- errors ---------------------------------------------------------------------------------------------------------


def decompose(errors: np.ndarray, level: float = 0.95) -> dict[str, np.ndarray]:
    """Split the errors of every column and quantity into bias, standard deviation and root mean square.

    Parameters
    ----------
    errors
        (R, K, Q) measured minus true of R realisations, K columns, Q quantities; not finite where there is none.
    level
        Coverage of the intervals, by jackknife over realisations; those of std and rmse are symmetric in the logarithm.

    Returns
    -------
    dict
        (K, Q) each: ``bias, std, rmse``, every one with ``_low`` and ``_high``; ``n`` realisations that count and
        ``left_out`` that do not. NaN where fewer than three count. rmse² = bias² + (1 - 1/n) std², as std² has n - 1
        in the denominator.
    """
    valid = np.isfinite(errors)
    n, filled = valid.sum(axis=0), np.where(valid, errors, 0.0)
    total, squares = filled.sum(axis=0), (filled**2).sum(axis=0)

    def summary(n: np.ndarray, total: np.ndarray, squares: np.ndarray) -> np.ndarray:
        mean = total / n
        variance = np.maximum(squares - n * mean**2, 0.0) / (n - 1)
        return np.stack([mean, np.log(variance) / 2, np.log(squares / n) / 2])

    with np.errstate(divide="ignore", invalid="ignore"):
        whole = summary(n, total, squares)
        # (3, R, K, Q); a realisation that does not count leaves nothing out and has no weight
        parts = np.where(valid, summary(n - 1, total - filled, squares - filled**2), 0.0)
        spread = np.where(valid, parts - parts.sum(axis=1, keepdims=True) / n, 0.0)
        error = np.sqrt((n - 1) / n * (spread**2).sum(axis=1))
        half = student_t.ppf(0.5 + level / 2, n - 1) * error
        low, high = whole - half, whole + half
        low, high = (np.where(np.isneginf(whole), -np.inf, bound) for bound in (low, high))
    found = {}
    for place, name in enumerate(("bias", "std", "rmse")):
        for ending, values in (("", whole), ("_low", low), ("_high", high)):
            value = np.exp(values[place]) if place else values[place]
            found[name + ending] = np.where(n > 2, value, np.nan)
    return found | {"n": n, "left_out": len(errors) - n}


def without_drift(errors: np.ndarray) -> np.ndarray:
    """Take the mean displacement of each image off its columns' errors, (R, K, 2): fast-scan lag is such a shift."""
    valid = np.isfinite(errors)
    mean = np.where(valid, errors, 0.0).sum(axis=1, keepdims=True) / np.maximum(valid.sum(axis=1, keepdims=True), 1)
    return errors - mean


def displacement_slope(true: np.ndarray, measured: np.ndarray, level: float = 0.95) -> dict[str, float]:
    """Give the slope of measured against true displacements, both axes together: 1 is faithful, 0 is the lattice.

    Parameters
    ----------
    true, measured
        (R, K, 2) displacements off the lattice as x, y; not finite where a column was not measured. Every image's mean
        displacement is taken off both, over the columns that were.
    level
        Coverage of the interval, by jackknife over images.

    Returns
    -------
    dict
        ``slope, slope_low, slope_high, n, left_out`` (columns).

    Raises
    ------
    EmrestoreError
        If there are fewer than two images, or an image has no measured column.
    """
    valid = np.isfinite(true).all(axis=-1) & np.isfinite(measured).all(axis=-1)
    if len(valid) < 2 or not valid.any(axis=1).all():
        raise EmrestoreError(
            "a slope with an interval needs two images or more, each with measured columns: give more realisations, "
            "and leave empty ones out"
        )
    # zeros for what was not measured, after centring, weigh nothing in the sums of a slope
    x, y = (
        np.where(valid[..., None], without_drift(np.where(valid[..., None], part, np.nan)), 0.0)
        for part in (true, measured)
    )
    found = slope(x.reshape(len(x), -1), y.reshape(len(y), -1), level)
    return found | {"n": int(valid.sum()), "left_out": int((~valid).sum())}


# --- bounds ---------------------------------------------------------------------------------------------------------


def fisher_matrix(
    shape: tuple[int, int],
    x: np.ndarray,
    y: np.ndarray,
    height: np.ndarray,
    sigma: float | np.ndarray,
    background: float,
    *,
    width: str = "shared",
    free_background: bool = True,
) -> np.ndarray:
    """Give the Fisher matrix of all parameters of one image of Poisson counts about Gaussian columns.

    Parameters
    ----------
    shape
        Y, X of the image [px].
    x, y, height
        (K,) positions [px] and heights [electrons per pixel].
    sigma
        Width [px]: one, or (K,) with ``width="column"``.
    background
        [electrons per pixel], positive.
    width, free_background
        What is estimated along, as :func:`emrestore.columns.crlb.bounds` takes them.

    Returns
    -------
    ndarray
        (n, n). Parameters come as height, x, y (and sigma, with a width per column) of the first column, of the second
        and so on, then the background if it is free, then the shared sigma if it is.

    Raises
    ------
    EmrestoreError
        If the background is not positive.
    """
    if background <= 0:
        raise EmrestoreError("the Fisher matrix needs a positive background: give a small one, 1e-9 of the height")
    values = [np.broadcast_to(value, np.shape(x)) for value in (height, x, y, sigma)]
    column = torch.as_tensor(np.stack(values[: 4 if width == "column" else 3], axis=-1), dtype=torch.float64)[None]
    shared = torch.tensor([[background] if width == "column" else [background, float(sigma)]], dtype=torch.float64)
    plan = layout(np.stack([x, y], axis=-1)[None], 1.5 * REACH * float(np.max(sigma)))
    column = column[:, plan.order]
    normal = evaluate(render(column, shared, shape), column, shared, plan, "ml")
    k, p = column.shape[1:]
    row, entry = plan.entries[:, 0], plan.entries[:, 1]
    blocks = torch.zeros(k, k, p, p, dtype=torch.float64)
    blocks[row, plan.partners[row, entry]] = normal.pairs[0, row, entry]
    # pairs hold each column and those after it; the others are their transposes
    later = blocks.clone()
    later[range(k), range(k)] = 0
    back = torch.argsort(plan.order)
    blocks = (blocks + later.permute(1, 0, 3, 2))[back][:, back]
    border = normal.border[0, back].reshape(k * p, -1)
    matrix = torch.cat(
        [
            torch.cat([blocks.permute(0, 2, 1, 3).reshape(k * p, k * p), border], dim=1),
            torch.cat([border.mT, normal.corner[0]], dim=1),
        ]
    )
    keep = np.ones(len(matrix), bool)
    keep[k * p] = free_background
    if width == "fixed":
        keep[k * p + 1] = False
    return matrix.numpy()[np.ix_(keep, keep)]


def biased_bound(fisher: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Bound the covariance of an estimator of known bias gradient: M F⁻¹ Mᵀ.

    Parameters
    ----------
    fisher
        (n, n) Fisher matrix.
    gradient
        (D, n) derivatives M of the mean of D estimates by the parameters; the identity, or rows of it, for an unbiased
        estimator. With parameters left out of both (columns far away, the heights) the bound holds still, but lower.

    Returns
    -------
    ndarray
        (D, D), in the units of the estimates.
    """
    return gradient @ _solve(fisher, gradient.T)


def measured_biased_bound(
    fisher: np.ndarray, plus: np.ndarray, minus: np.ndarray, step: float | np.ndarray, level: float = 0.95
) -> dict[str, np.ndarray]:
    """Bound the variances of estimates whose mean was measured on specimens with parameters displaced either way.

    The noise of a measured gradient would raise M F⁻¹ Mᵀ. Of g_r, the difference quotients of realisation r, only
    products g_r F⁻¹ g_sᵀ of different realisations are averaged, whose noise is independent: without bias.

    Parameters
    ----------
    fisher
        (n, n) Fisher matrix of the parameters that were displaced, in the middle.
    plus, minus
        (R, D, n) D estimates of R >= 3 realisations, when parameter n (a coordinate of the column or of a neighbour)
        was larger and smaller by ``step``. The realisations are independent; for one r, plus and minus may share noise,
        which makes the gradient more precise.
    step
        Half the distance between them: one, or (n,) in the units of the parameters. Small against what bends the mean.
    level
        Coverage of the intervals, by jackknife over realisations.

    Returns
    -------
    dict
        ``gradient`` and ``gradient_se`` (D, n); (D,) ``std``, the root of the bound, with ``std_low`` and ``std_high``
        (zero where noise leaves nothing of it).

    Raises
    ------
    EmrestoreError
        If there are fewer than three realisations, or estimates are not finite.
    """
    quotients = (np.asarray(plus, float) - minus) / (2 * np.asarray(step, float))
    n = len(quotients)
    if n < 3 or not np.isfinite(quotients).all():
        raise EmrestoreError(
            "a measured bias gradient needs three realisations or more without a failed fit: leave out realisations in "
            "which one failed, and say how many"
        )
    solved = np.swapaxes(_solve(fisher, np.swapaxes(quotients, 1, 2)), 1, 2)
    own = (quotients * solved).sum(axis=-1)  # (R, D): g_r F⁻¹ g_rᵀ
    total, solved_total = quotients.sum(axis=0), solved.sum(axis=0)
    everything = (total * solved_total).sum(axis=-1)
    cross = (quotients * solved_total).sum(axis=-1)  # g_r with all
    pairs = (everything - own.sum(axis=0)) / (n * (n - 1))
    one_out = (everything - 2 * cross + own - (own.sum(axis=0) - own)) / ((n - 1) * (n - 2))
    low, high = jackknife_interval(pairs, one_out, level)
    std, low, high = (np.sqrt(np.maximum(value, 0.0)) for value in (pairs, low, high))
    return {
        "gradient": total / n,
        "gradient_se": quotients.std(axis=0, ddof=1) / np.sqrt(n),
        "std": std,
        "std_low": low,
        "std_high": high,
    }


def van_trees(fisher: np.ndarray, prior_width: float | np.ndarray) -> np.ndarray:
    """Bound the mean squared error of any estimator, averaged over a normal prior: (E[F] + P⁻¹)⁻¹.

    Parameters
    ----------
    fisher
        (..., n, n) Fisher matrices; leading axes are draws from the prior, over which they are averaged.
    prior_width
        Standard deviation of the prior of each parameter, one or (n,), in their units; independent, infinite for a
        parameter of which nothing is known beforehand.

    Returns
    -------
    ndarray
        (n, n).
    """
    fisher = np.asarray(fisher, float)
    information = fisher.reshape(-1, *fisher.shape[-2:]).mean(axis=0)
    information = information + np.diag(np.broadcast_to(1 / np.square(prior_width, dtype=float), len(information)))
    return _solve(information, np.eye(len(information)))


def _solve(fisher: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Solve F z = right for right (..., n, m), scaled to a unit diagonal: parameters differ in units by decades."""
    try:
        scale = 1 / np.sqrt(np.diag(fisher))
        factor = cho_factor(fisher * scale[:, None] * scale)
    except np.linalg.LinAlgError as error:
        raise EmrestoreError(
            "the Fisher matrix is singular: two columns on one spot, or one that no pixel sees; leave one out"
        ) from error
    right = np.moveaxis(right * scale[:, None], -2, 0)
    solved = cho_solve(factor, right.reshape(len(fisher), -1)).reshape(right.shape)
    return np.moveaxis(solved, 0, -2) * scale[:, None]
