"""A confidence for every column that needs no truth, and how well it ranks the errors where the truth is known.

The same image is restored and fitted several times: with half of its electrons, or with its noise drawn anew; upside
down every other time; and moved by a fraction of a pixel. What a measurement then spreads is taken for its uncertainty.
Images are never mirrored left to right nor rotated: networks for scanned images know the direction of the scan.

Noise: each electron of a counted image is kept with probability 1/2. About their common image, twice the halves of n
electrons have the variance 4 n / 4 = n, that of the whole image: the spread of any estimate that is linear in the noise
is right as it is. Where electrons are not counted, noise of variance gain x signal is added to the restored image
(parametric bootstrap). Neither sees a bias that all copies share.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.ndimage import fourier_shift
from scipy.stats import spearmanr

from emrestore.columns.fit import fit_images
from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval

#: Pixels that are mirrored around an image before it is moved, so that its edges do not wrap.
MARGIN = 8


def column_spread(
    image: np.ndarray,
    start: np.ndarray,
    restore: Callable[[np.ndarray], np.ndarray],
    rng: np.random.Generator,
    *,
    copies: int = 8,
    counted: bool = True,
    gain: float | None = None,
    estimator: str = "ls",
    width: str = "shared",
    background: float | None = None,
) -> pd.DataFrame:
    """Spread of every column's measurements over perturbed copies of one image.

    Parameters
    ----------
    image
        (Y, X) as it was recorded; axis -1 is the fast scan axis.
    start
        (n, 2) starting positions x, y [px] of the columns.
    restore
        Takes images (N, Y, X) and gives restored ones.
    rng
        Random stream, see :func:`emrestore.rng.stream`.
    copies
        How many; an even number, half of them upside down.
    counted
        The image holds whole electrons, which are thinned; otherwise its noise is drawn anew.
    gain
        Variance over mean of the noise to draw [image units] where electrons are not counted; None: that of what
        restoration takes off, the sum of its squares over the sum of the restored image.
    estimator, width, background
        As :func:`emrestore.columns.fit.fit_images` takes them; moved images hold negative values, so not ``"ml"``
        unless restoration takes them off.

    Returns
    -------
    DataFrame
        A row per column: ``x_spread, y_spread`` [px], ``scs_spread`` [image units x px²], standard deviations over
        copies; ``copies`` that count, those with a finite fit. NaN where fewer than two do. Fits that did not converge
        or ended on a bound count, as a spread is meant to show them; ``not_converged`` and ``on_bound`` are their
        numbers.

    Raises
    ------
    EmrestoreError
        If counts are not whole, copies are odd or fewer than two, or the columns cannot be fitted.
    """
    if copies < 2 or copies % 2:
        raise EmrestoreError(f"copies must be an even number, half of them upside down, not {copies}")
    if not np.isfinite(image).all():
        raise EmrestoreError("pixels are NaN or infinite; replace them, by a median of their neighbours say")
    shift = rng.uniform(-0.5, 0.5, (copies, 2))  # x, y
    flipped = np.arange(copies) % 2 == 1
    if counted:
        if (image < 0).any() or (image != np.round(image)).any():
            raise EmrestoreError("only whole electrons can be thinned; pass counted=False for other images")
        drawn = 2.0 * rng.binomial(image.astype(np.int64), 0.5, (copies, *image.shape))
        drawn = np.stack([_move(copy, by) for copy, by in zip(drawn, shift, strict=True)])
    else:
        smooth = restore(image[None])[0].astype(np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            gain = ((image - smooth) ** 2).sum() / smooth.sum() if gain is None else gain
        if not 0 < gain < np.inf:
            raise EmrestoreError("the gain of the noise cannot be read from this image: give it")
        drawn = np.stack([_move(smooth, by) for by in shift])
        drawn += np.sqrt(gain * np.maximum(drawn, 0)) * rng.normal(size=drawn.shape)
    drawn[flipped] = drawn[flipped, ::-1]

    rows, lines = image.shape
    positions = start + shift[:, None]
    positions[flipped, :, 1] = rows - 1 - positions[flipped, :, 1]
    positions = np.clip(positions, -0.5, np.array([lines, rows]) - 0.5)
    fit = fit_images(restore(drawn), positions, estimator=estimator, width=width, background=background)
    x, y, scs = (getattr(fit, name).numpy().copy() for name in ("x", "y", "scs"))
    y[flipped] = rows - 1 - y[flipped]
    values = np.stack([x - shift[:, :1], y - shift[:, 1:], scs])
    counts = np.isfinite(values).all(axis=0)
    number = counts.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(counts, values, 0).sum(axis=1, keepdims=True) / number
        spread = np.sqrt((np.where(counts, values - mean, 0) ** 2).sum(axis=1) / (number - 1))
    spread[:, number < 2] = np.nan
    return pd.DataFrame(
        dict(zip(("x_spread", "y_spread", "scs_spread"), spread, strict=True))
        | {
            "copies": number,
            "not_converged": int((~fit.converged).sum()),
            "on_bound": fit.on_bound.numpy().sum(axis=0),
        }
    )


def ranking(errors: np.ndarray, spreads: np.ndarray) -> dict[str, float]:
    """Score how well spreads rank errors, with intervals of 95 % by jackknife over realisations.

    Parameters
    ----------
    errors
        (R, K) true errors of K columns in R realisations, at least three; their sign does not matter.
    spreads
        (R, K) spread of each; pairs in which either is not finite are left out.

    Returns
    -------
    dict
        ``ause``, see :func:`ause`, with ``_low, _high``, and ``ause_random``, what spreads that know nothing would get;
        ``spearman``, the rank correlation of spread and absolute error, with its interval; ``ratio``, root mean square
        error over root mean square spread, with its interval, symmetric in the logarithm: 1 where spreads are
        calibrated; ``n`` pairs that count and ``left_out`` that do not. NaN where all spreads are equal (spearman) or
        zero (ratio).
    """
    errors, spreads = np.abs(errors), np.asarray(spreads)
    if errors.ndim != 2 or errors.shape != spreads.shape or len(errors) < 3:
        raise ValueError("errors and spreads must be (realisations >= 3, columns)")
    valid = np.isfinite(errors) & np.isfinite(spreads)

    def scores(rows: np.ndarray) -> np.ndarray:
        error, spread = errors[rows][valid[rows]], spreads[rows][valid[rows]]
        if not len(error):
            return np.full(4, np.nan)
        correlation = spearmanr(spread, error).statistic if np.ptp(spread) * np.ptp(error) > 0 else np.nan
        with np.errstate(divide="ignore", invalid="ignore"):
            log_ratio = (np.log((error**2).mean()) - np.log((spread**2).mean())) / 2
        log_ratio = log_ratio if log_ratio < np.inf else np.nan  # no spread at all
        return np.array([ause(error, spread), correlation, log_ratio, ause(error, np.zeros_like(error))])

    everyone = np.arange(len(errors))
    whole = scores(everyone)
    low, high = jackknife_interval(whole, np.stack([scores(np.delete(everyone, row)) for row in everyone]))
    whole[2], low[2], high[2] = np.exp([whole[2], low[2], high[2]])
    found = {}
    for place, name in enumerate(("ause", "spearman", "ratio")):
        found |= {name: whole[place], f"{name}_low": low[place], f"{name}_high": high[place]}
    found = {key: float(value) for key, value in found.items()} | {"ause_random": float(whole[3])}
    return found | {"n": int(valid.sum()), "left_out": int((~valid).sum())}


def ause(errors: np.ndarray, spreads: np.ndarray) -> float:
    """Give the area under the sparsification error curve (Ilg et al. 2018).

    Columns are taken away one by one, widest spread first; the mean error of those that remain, over the mean of all,
    is the sparsification curve against the share taken away. The area between it and the curve of the oracle, which
    takes away the largest error first, is 0 at best. Equal spreads are taken away in random order: the mean over orders
    is given.

    Parameters
    ----------
    errors, spreads
        (n,) absolute errors and spreads, finite.
    """
    errors = np.asarray(errors, dtype=float)
    if not errors.any():
        return 0.0
    _, group, size = np.unique(spreads, return_inverse=True, return_counts=True)
    expected = (np.bincount(group, errors) / size)[group]
    ranked, oracle = expected[np.argsort(spreads, kind="stable")], np.sort(errors)
    left = np.arange(1, len(errors) + 1)
    return float(((np.cumsum(ranked) - np.cumsum(oracle)) / left).mean() / errors.mean())


def _move(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Move an image by (x, y) [px] along its trigonometric interpolation, which leaves white noise white."""
    padded = np.pad(image, MARGIN, "symmetric")
    moved = np.fft.ifft2(fourier_shift(np.fft.fft2(padded), by[::-1])).real
    return moved[MARGIN:-MARGIN, MARGIN:-MARGIN]
