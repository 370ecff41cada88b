"""Fit Gaussian columns to many images at once, as StatSTEM does to one.

Levenberg-Marquardt on squared residuals (``"ls"``) or Fisher scoring, damped in the same way, on the Poisson
likelihood (``"ml"``). All columns of an image are fitted jointly; every image has its own damping and its own
accept or reject, and leaves the batch when it has converged.

Bounds, kept by projection: positions stay within ``max_shift`` of their start on either axis, heights are >=
0, sigma stays within a factor of four of its start. The background is free for least squares; for counts it
is at least 1e-6 of the mean of the image, so that the model stays positive.
"""

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from emrestore.columns.model import REACH, Layout, Normal, System, evaluate, factorise, layout, widths
from emrestore.errors import EmrestoreError

#: What the flags of a table mean.
FLAWS = ("not converged", "on a bound", "at the border")
PIXELS_AT_ONCE = 200_000
"""Pixels per batch: the working set of a batch then stays near the processor's cache."""


@dataclass
class Fit:
    """Fitted columns of B images with K columns each; columns in the order of the starting positions.

    Attributes
    ----------
    x, y, height, sigma, scs
        (B, K): position [px], height [image units], width [px], volume 2 pi sigma^2 height [image units x
        px^2].
    background
        (B,), or (B, K) of windows [image units].
    x_se, y_se, height_se, sigma_se, scs_se, background_se
        Standard errors, shaped as the values: residual variance times the inverse normal matrix for ``"ls"``
        (noise of equal variance assumed), inverse expected Fisher matrix for ``"ml"``. Bounds are not
        considered; the position of a column of height zero has an infinite one.
    converged
        (B,), or (B, K) of windows: the last step was below the tolerance.
    on_bound
        (B, K): position or sigma at its bound, or height zero.
    border
        (B, K): column nearer than 3 sigma to the border of the image (or beyond).
    iterations, objective
        (B,), or (B, K) of windows: evaluations used; half the sum of squared residuals, or the Poisson
        deviance sum(mu - n + n log(n / mu)).
    """

    x: Tensor
    y: Tensor
    height: Tensor
    sigma: Tensor
    scs: Tensor
    background: Tensor
    x_se: Tensor
    y_se: Tensor
    height_se: Tensor
    sigma_se: Tensor
    scs_se: Tensor
    background_se: Tensor
    converged: Tensor
    on_bound: Tensor
    border: Tensor
    iterations: Tensor
    objective: Tensor


def fit_images(
    images: Tensor | np.ndarray,
    positions: Tensor | np.ndarray,
    *,
    estimator: str = "ls",
    width: str = "shared",
    sigma: float | Tensor | None = None,
    background: float | None = None,
    max_shift: float | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 50,
) -> Fit:
    """Fit all columns of each image jointly, with one background per image.

    Parameters
    ----------
    images
        (B, Y, X), or (Y, X) for one; any unit for ``"ls"``, counts for ``"ml"``.
    positions
        (K, 2) or (B, K, 2) starting positions x, y [px].
    estimator
        ``"ls"`` least squares, or ``"ml"`` Poisson maximum likelihood.
    width
        ``"shared"``: one sigma for all columns of an image; ``"column"``: one for each; ``"fixed"``:
        ``sigma`` as given, known without error (at few electrons a column a free width is worth more to least
        squares as a way to fit single electrons than as the width of a column).
    sigma
        Starting width [px], one or (B,); None: from the mean of all columns of the image.
    background
        A number [image units]: known and held there (``"ml"`` holds at least 1e-6 of the image's mean, so that the
        model stays positive); None: fitted.
    max_shift
        Furthest that a column may move along either axis [px]; None: half the median nearest-neighbour
        distance (a quarter of the image's shorter side for a single column).
    tolerance
        An image has converged when the step, in standard errors (root mean square over parameters, in the
        metric of the normal matrix), is below this.
    max_iterations
        Evaluations allowed; images that need more are returned with ``converged`` False.

    Returns
    -------
    Fit
        Estimates, standard errors and flags.

    Raises
    ------
    EmrestoreError
        If images or positions cannot be fitted: empty or not finite images, negative counts with ``"ml"``,
        positions outside the image or closer than half a pixel to each other, more parameters than pixels.
    """
    images, positions = check(images, positions, estimator, width)
    count, pixels = positions.shape[1], images[0].numel()
    if (4 if width == "column" else 3) * count + 2 > pixels:
        raise EmrestoreError(
            f"{count} columns have more parameters than the image has pixels ({pixels}): give a larger image."
        )
    if width == "fixed" and sigma is None:
        raise EmrestoreError("a fixed width must be known: give sigma in pixels.")
    if max_shift is None:
        max_shift = 0.5 * spacing(positions) if count > 1 else 0.25 * min(images.shape[1:])
    if sigma is None:
        sigma = start_width(images, positions)
    sigma = torch.as_tensor(sigma, dtype=torch.float64).expand(len(images))

    together = len(positions) == 1 and count > 1  # one layout for all images
    plan = layout(positions.numpy(), REACH * float(sigma.max())) if together else None
    at_once, parts = max(1, PIXELS_AT_ONCE // pixels), []
    for first in range(0, len(images), at_once):
        chunk = slice(first, first + at_once)
        starts = positions.expand(len(images), -1, -1)[chunk]
        parts.append(
            fit_chunk(
                images[chunk],
                starts,
                sigma[chunk],
                plan or layout(starts.numpy(), REACH * float(sigma.max())),
                estimator,
                width,
                background,
                max_shift,
                tolerance,
                max_iterations,
            )
        )
    return Fit(*(torch.cat([getattr(part, field.name) for part in parts]) for field in fields(Fit)))


def fit_windows(
    images: Tensor | np.ndarray,
    positions: Tensor | np.ndarray,
    radius: float | None = None,
    *,
    estimator: str = "ls",
    sigma: float | None = None,
    background: float | None = None,
    max_shift: float | None = None,
    tolerance: float = 1e-3,
    max_iterations: int = 50,
) -> Fit:
    """Fit every column alone on a square window, with its own width and background.

    Parameters
    ----------
    radius
        Half-width of the window [px]: it has int(2 radius + 1) pixels a side, and is moved inwards at the
        border of the image. None: half the median nearest-neighbour distance.
    images, positions, estimator, sigma, background, max_shift, tolerance, max_iterations
        As in :func:`fit_images`.

    Returns
    -------
    Fit
        All fields (B, K).

    Raises
    ------
    EmrestoreError
        As :func:`fit_images`; also if the window is larger than the image.
    """
    images, positions = check(images, positions, estimator, "shared")
    batch, count, pitch = len(images), positions.shape[1], spacing(positions)
    if not np.isfinite(pitch) and (radius is None or max_shift is None):
        pitch = 0.5 * min(images.shape[1:])
    windows, corners = cut_windows(images, positions, 0.5 * pitch if radius is None else radius)
    fit = fit_images(
        windows.flatten(0, 1),
        (positions - corners).flatten(0, 1)[:, None],
        estimator=estimator,
        sigma=0.25 * pitch if sigma is None else sigma,
        background=background,
        max_shift=0.5 * pitch if max_shift is None else max_shift,
        tolerance=tolerance,
        max_iterations=max_iterations,
    )
    for field in fields(Fit):
        setattr(fit, field.name, getattr(fit, field.name).reshape(batch, count))
    fit.x, fit.y = fit.x + corners[..., 0], fit.y + corners[..., 1]
    fit.border = near_border(fit.x, fit.y, fit.sigma, images.shape[1:])
    return fit


def moved_inside(positions: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Move starting positions that lie just outside the image to its border.

    Fits of columns that the border cuts may end there, up to half the median nearest-neighbour distance outside.
    Positions further out stay, for :func:`fit_columns` to refuse.

    Parameters
    ----------
    positions
        (n, 2) x, y [px].
    shape
        Y, X of the image [px].
    """
    end = np.array(shape[::-1]) - 0.5
    moved = np.clip(positions, -0.5, end)
    if len(positions) < 2:
        return positions
    near = np.abs(moved - positions).max(axis=1) <= 0.5 * np.median(nearest(np.asarray(positions)))
    return np.where(near[:, None], moved, positions)


def soundness(table: pd.DataFrame) -> str:
    """Say how many of a table's fits are sound, and what is wrong with the others."""
    flags = ~table["converged"], table["on_bound"], table["border"]
    wrong = [f"{int(flag.sum())} {words}" for flag, words in zip(flags, FLAWS, strict=True) if flag.any()]
    good = len(table) - int(np.logical_or.reduce(flags).sum())
    return f"{good} of {len(table)} fits are sound" + (f" ({', '.join(wrong)})" if wrong else "")


def fit_columns(
    image: np.ndarray,
    positions: np.ndarray,
    pixel_size: float = 1.0,
    *,
    estimator: str = "ls",
    width: str = "shared",
    joint: bool = True,
    radius: float | None = None,
    sigma: float | None = None,
    background: float | None = None,
    max_shift: float | None = None,
) -> pd.DataFrame:
    """Measure the atomic columns of one image.

    Parameters
    ----------
    image
        (Y, X) intensities; electron counts for ``"ml"``.
    positions
        (n, 2) starting positions x, y [px].
    pixel_size
        [Å].
    estimator, width, sigma, background, max_shift
        As in :func:`fit_images`.
    joint
        Fit all columns together (their overlap is part of the model; memory and time grow with pixels x
        columns), or each alone on a window of half-width ``radius`` [px], see :func:`fit_windows`.

    Returns
    -------
    pandas.DataFrame
        One row per position, in the same order: ``x, y`` [px], ``x_A, y_A`` [Å], ``sigma`` [px],
        ``amplitude``, ``background`` [image units], ``scs`` [image units x Å^2], the standard error of each
        (``_se``), and the flags ``converged, on_bound, border`` (see :class:`Fit`). Standard errors come from the
        noise about the fit: they hold for recorded images, and not for restored ones, whose errors are correlated.

    Raises
    ------
    EmrestoreError
        As :func:`fit_images`.
    """
    options = {"estimator": estimator, "sigma": sigma, "background": background, "max_shift": max_shift}
    image = np.asarray(image)
    if image.ndim != 2:
        raise EmrestoreError(
            f"an image has two axes (Y, X), this one has shape {image.shape}: give one image at a time."
        )
    if not np.isfinite(pixel_size) or pixel_size <= 0:
        raise EmrestoreError(f"the pixel size must be a positive length in Å, not {pixel_size}.")
    if joint:
        fit = fit_images(image, positions, width=width, **options)
    else:
        fit = fit_windows(image, positions, radius, **options)
    names = {
        "x": "x",
        "y": "y",
        "sigma": "sigma",
        "amplitude": "height",
        "background": "background",
        "scs": "scs",
    }
    count = fit.x.shape[1]
    table = {
        name + ending: getattr(fit, source + ending)[0].expand(count).numpy()
        for name, source in names.items()
        for ending in ("", "_se")
    }
    for name, power in (("x", 1), ("y", 1), ("scs", 2)):
        for ending in ("", "_se"):
            table[(name if power == 2 else f"{name}_A") + ending] = table[name + ending] * pixel_size**power
    values = ["x", "y", "x_A", "y_A", "sigma", "amplitude", "background", "scs"]
    for flag in ("converged", "on_bound", "border"):
        table[flag] = getattr(fit, flag)[0].expand(count).numpy()
    return pd.DataFrame(table)[[*values, *(f"{name}_se" for name in values), "converged", "on_bound", "border"]]


def check(images, positions, estimator: str, width: str) -> tuple[Tensor, Tensor]:
    """Refuse what cannot be fitted; give (B, Y, X) images and (1 or B, K, 2) positions, float64."""
    if estimator not in ("ls", "ml") or width not in ("shared", "column", "fixed"):
        raise EmrestoreError(
            f"there is no estimator {estimator!r} with width {width!r}: use 'ls' or 'ml', and"
            " 'shared', 'column' or 'fixed'."
        )
    images = torch.as_tensor(
        np.asarray(images, dtype=np.float64) if not isinstance(images, Tensor) else images.double()
    )
    positions = torch.as_tensor(positions, dtype=torch.float64)
    images = images[None] if images.ndim == 2 else images
    positions = positions[None] if positions.ndim == 2 else positions
    if images.ndim != 3 or not images.numel():
        raise EmrestoreError(f"images must be (Y, X) or (B, Y, X) with at least one pixel, not {tuple(images.shape)}.")
    if (
        positions.ndim != 3
        or positions.shape[-1] != 2
        or not positions.shape[1]
        or len(positions) not in (1, len(images))
    ):
        raise EmrestoreError(f"positions must be (n, 2) x, y [px] with n > 0, not of shape {tuple(positions.shape)}.")
    if not torch.isfinite(images).all():
        raise EmrestoreError("the image contains NaN or infinite pixels: replace them before fitting columns.")
    if estimator == "ml" and (images < 0).any():
        raise EmrestoreError(
            "maximum likelihood needs electron counts, and some pixels are negative: fit by least squares (ls)."
        )
    size = torch.tensor(images.shape[:0:-1], dtype=torch.float64)
    outside = ~((positions >= -0.5) & (positions <= size - 0.5)).all(-1)
    if outside.any():
        raise EmrestoreError(
            f"{int(outside.sum())} positions lie outside the image of {int(size[0])} x {int(size[1])} px:"
            " give positions as x, y in pixels, the first pixel centred at 0."
        )
    if positions.shape[1] > 1 and any((nearest(xy) < 0.5).any() for xy in positions.numpy()):
        raise EmrestoreError("two positions are closer than half a pixel: give each column once.")
    return images, positions


def nearest(xy: np.ndarray) -> np.ndarray:
    """Give the distance of every point to its nearest neighbour."""
    return cKDTree(xy).query(xy, k=2)[0][:, 1]


def spacing(positions: Tensor) -> float:
    """Give the median nearest-neighbour distance [px] (infinite for a single column) of the first image."""
    return float(np.median(nearest(positions[0].numpy())))


def cut_windows(images: Tensor, positions: Tensor, radius: float) -> tuple[Tensor, Tensor]:
    """Cut (B, K, P, P) windows, P = int(2 radius + 1) px; also give their first pixels (B, K, 2) x, y."""
    side = int(2 * radius + 1)
    if side < 3 or side > min(images.shape[1:]):
        raise EmrestoreError(
            f"a window of {side} pixels does not suit an image of {tuple(images.shape[1:])}: change radius."
        )
    limit = torch.tensor(images.shape[:0:-1]) - side
    corners = (positions - 0.5 * (side - 1)).round().long().clamp(min=0).minimum(limit).expand(len(images), -1, -1)
    steps = torch.arange(side)
    rows = corners[:, :, 1, None, None] + steps[:, None]
    lines = corners[:, :, 0, None, None] + steps
    return images[torch.arange(len(images))[:, None, None, None], rows, lines], corners


def start_width(images: Tensor, positions: Tensor) -> Tensor:
    """Estimate sigma of every image (B,) [px] from the mean window of its columns."""
    if positions.shape[1] == 1:
        return torch.full((len(images),), min(images.shape[1:]) / 6, dtype=torch.float64)
    pitch = spacing(positions)
    guess = max(0.25 * pitch, 0.5)
    side = min(images.shape[1:])
    if side < 5:
        return torch.full((len(images),), guess, dtype=torch.float64)
    radius = min(max(0.5 * pitch, 2.0), (side - 1) / 2)
    windows, _ = cut_windows(images, positions, radius)
    mean = windows.mean(1)
    centre = torch.full((1, 2), (mean.shape[-1] - 1) / 2, dtype=torch.float64)
    fit = fit_images(mean, centre, sigma=guess, max_shift=0.25 * pitch, max_iterations=30)
    return torch.where(fit.converged & ~fit.on_bound[:, 0], fit.sigma[:, 0], guess)


def near_border(x: Tensor, y: Tensor, sigma: Tensor, shape: tuple[int, int]) -> Tensor:
    """Flag columns nearer than 3 sigma to the edge of the outermost pixels."""
    inside = (torch.minimum(x, shape[1] - 1 - x) > 3 * sigma - 0.5) & (
        torch.minimum(y, shape[0] - 1 - y) > 3 * sigma - 0.5
    )
    return ~inside


def fit_chunk(
    images: Tensor,
    starts: Tensor,
    sigma: Tensor,
    plan: Layout,
    estimator: str,
    width: str,
    background: float | None,
    max_shift: float,
    tolerance: float,
    max_iterations: int,
) -> Fit:
    """Fit one batch of images; see :func:`fit_images`."""
    starts = starts[:, plan.order]
    parameters = 4 if width == "column" else 3
    batch, count = starts.shape[:2]
    mean = images.mean((1, 2))
    # bounds, columns and shared parameters
    low = torch.zeros(batch, count, parameters, dtype=torch.float64)
    high = torch.full_like(low, torch.inf)
    low[..., 1:3], high[..., 1:3] = starts - max_shift, starts + max_shift
    least = torch.full_like(mean, -torch.inf) if estimator == "ls" else (1e-6 * mean).clamp(min=1e-12)
    most = torch.full_like(mean, torch.inf)
    if background is not None:
        least = most = least.clamp(min=background)
    shared_low, shared_high = least[:, None], most[:, None]
    if parameters == 4:
        low[..., 3], high[..., 3] = sigma[:, None] / 4, sigma[:, None] * 4
    else:
        stretch = 1.0 if width == "fixed" else 4.0
        shared_low = torch.stack([least, sigma / stretch], dim=-1)
        shared_high = torch.cat([shared_high, sigma[:, None] * stretch], dim=-1)

    # The model is linear in heights and background: a least-squares step from zero, positions and width held,
    # is the linear solution (derivatives by position and width vanish with the heights, which freezes them).
    column = torch.cat([torch.zeros_like(starts[..., :1]), starts], dim=-1)
    shared = torch.zeros(batch, 1, dtype=torch.float64) if background is None else least[:, None].clone()
    if parameters == 4:
        column = torch.cat([column, sigma[:, None, None].expand(-1, count, 1)], dim=-1)
    else:
        shared = torch.stack([shared[:, 0], sigma], dim=-1)
    normal = evaluate(images, column, shared, plan, "ls")
    system = factorise(
        normal,
        plan,
        *unbound(normal, column, shared, low, high, shared_low, shared_high),
        1e-9 * torch.ones_like(mean),
    )
    step, shared_step = system.solve(normal.column, normal.shared)
    # a column that starts at height zero could not move
    height = step[..., 0].clamp(min=0.0)
    column[..., 0] = torch.maximum(height, 0.05 * height.mean(1, keepdim=True))
    if background is None:
        floor = torch.maximum(least, 0.01 * mean) if estimator == "ml" else least
        shared[:, 0] = torch.maximum(shared_step[:, 0], floor)

    # What is summed are products of two Gaussians, of width sigma / sqrt(2) or more: sums over points not
    # further apart than that are good to 2 exp(-2 pi^2) < 1e-8, except for columns cut by the border, whose
    # steps are a bit off.
    stride = max(1, int(0.7 * float(sigma.min())))
    # every tensor of the state has one entry per image that is still active
    active = torch.arange(batch)
    data, damping, growth = (
        images,
        torch.full((batch,), 1e-3, dtype=torch.float64),
        torch.full((batch,), 2.0, dtype=torch.float64),
    )
    normal = evaluate(data, column, shared, plan, estimator, stride)
    best, best_shared = column.clone(), shared.clone()
    converged, iterations = torch.zeros(batch, dtype=torch.bool), torch.ones(batch, dtype=torch.long)
    size = count * parameters + shared.shape[1]
    # rounding of objective and step, so that noise-free data converge
    floor = 1e-22 * (images.square() if estimator == "ls" else images).sum((1, 2))
    freedom = max(1, images[0].numel() - size)
    bounds = low, high, shared_low, shared_high
    for _ in range(max_iterations):
        free, shared_free = unbound(normal, column, shared, *bounds)
        system = factorise(normal, plan, free, shared_free, damping)
        step, shared_step = system.solve(normal.column, normal.shared)
        # (J'r)'step = step'(H + damping D) step: the square of the step in standard errors, times the
        # variance
        decrement = (normal.column * step).sum((1, 2)) + (normal.shared * shared_step).sum(1)
        variance = 2 * normal.objective / freedom if estimator == "ls" else 1.0
        trial = torch.minimum(torch.maximum(column + step, bounds[0]), bounds[1])
        shared_trial = torch.minimum(torch.maximum(shared + shared_step, bounds[2]), bounds[3])
        done = (decrement <= size * tolerance**2 * variance + floor) & (damping <= 0.1)
        leave = done | (damping > 1e8)
        gone = active[leave]
        best[gone], best_shared[gone] = (
            torch.where(done[leave, None, None], trial[leave], column[leave]),
            torch.where(done[leave, None], shared_trial[leave], shared[leave]),
        )
        converged[gone] = done[leave]
        if leave.all():
            break
        keep = ~leave
        iterations[active[keep]] += 1
        active, data, damping, growth, floor, decrement = (
            value[keep] for value in (active, data, damping, growth, floor, decrement)
        )
        column, shared, trial, shared_trial = (value[keep] for value in (column, shared, trial, shared_trial))
        bounds = tuple(bound[keep] for bound in bounds)
        normal = pick(normal, keep)
        proposed = evaluate(data, trial, shared_trial, plan, estimator, stride)
        # gain ratio and damping after Nielsen (1999)
        gain = (normal.objective - proposed.objective) / (0.5 * decrement)
        better = proposed.objective <= normal.objective + 1e3 * floor
        damping = torch.where(better, damping * (1 - (2 * gain - 1) ** 3).clamp(0.1, 1.0), damping * growth).clamp(
            min=1e-9
        )
        growth = torch.where(better, 2.0, 2 * growth)
        column = torch.where(better[:, None, None], trial, column)
        shared = torch.where(better[:, None], shared_trial, shared)
        normal = merge(better, proposed, normal)
    else:  # the others have used up their iterations
        best[active], best_shared[active] = column, shared
    bounds = low, high, shared_low, shared_high
    held = background is not None
    return report(images, best, best_shared, plan, estimator, width, held, bounds, converged, iterations)


def unbound(normal: Normal, column, shared, low, high, shared_low, shared_high) -> tuple[Tensor, Tensor]:
    """Tell which parameters may move: determined, and not pushed out of their bounds."""
    free = ~(((column <= low) & (normal.column <= 0)) | ((column >= high) & (normal.column >= 0)))
    shared_free = ~(((shared <= shared_low) & (normal.shared <= 0)) | ((shared >= shared_high) & (normal.shared >= 0)))
    return free & determined(normal.pairs[:, :, 0]), shared_free & determined(normal.corner)


def determined(blocks: Tensor) -> Tensor:
    """Tell which parameters act on the image at all."""
    return blocks.diagonal(dim1=-2, dim2=-1) > 1e-200


def pick(normal: Normal, keep: Tensor) -> Normal:
    """Keep some images of a batch."""
    return normal if keep.all() else Normal(*(getattr(normal, field.name)[keep] for field in fields(Normal)))


def merge(choice: Tensor, new: Normal, old: Normal) -> Normal:
    """Take ``new`` where ``choice``, else ``old``."""
    if choice.all():
        return new
    pairs = ((getattr(new, field.name), getattr(old, field.name)) for field in fields(Normal))
    return Normal(*(torch.where(choice.view(-1, *[1] * (a.ndim - 1)), a, b) for a, b in pairs))


def report(images, column, shared, plan, estimator, width, held, bounds, converged, iterations) -> Fit:
    """Gather estimates, standard errors and flags, in the caller's order of columns."""
    normal = evaluate(images, column, shared, plan, estimator)
    count, parameters = column.shape[1:]
    freedom = max(1, images[0].numel() - count * parameters - shared.shape[1])
    variance = 2 * normal.objective / freedom if estimator == "ls" else torch.ones_like(normal.objective)
    errors = standard_errors(normal, column, shared, plan, width, held)
    values = {
        "x": column[..., 1],
        "y": column[..., 2],
        "height": column[..., 0],
        "sigma": widths(column, shared),
    }
    values["scs"] = 2 * torch.pi * values["sigma"] ** 2 * values["height"]
    low, high, shared_low, shared_high = bounds
    on_bound = ((column <= low) | (column >= high)).any(-1)
    if width == "shared":
        on_bound |= ((shared <= shared_low) | (shared >= shared_high))[:, 1:]
    values["on_bound"] = on_bound
    values["border"] = near_border(values["x"], values["y"], values["sigma"], images.shape[1:])
    for name, error in errors.items():
        unit = variance.sqrt().view(-1, *[1] * (error.ndim - 1))
        values[f"{name}_se"] = torch.where(error.isinf(), error, error * unit)
    back = torch.argsort(plan.order)
    values = {name: value if name == "background_se" else value[:, back] for name, value in values.items()}
    return Fit(
        **values,
        background=shared[:, 0],
        converged=converged,
        iterations=iterations,
        objective=normal.objective,
    )


def standard_errors(
    normal: Normal, column: Tensor, shared: Tensor, plan: Layout, width: str, held: bool
) -> dict[str, Tensor]:
    """Give the roots of the inverse normal matrix's diagonal, and by the delta method that of the SCS.

    What is known from elsewhere, a fixed width or a background that is held, has no error and adds none to others.
    """
    known, shared_known = determined(normal.pairs[:, :, 0]), determined(normal.corner)
    exact = torch.zeros_like(shared_known)
    exact[:, 0] = held
    if width == "fixed":
        exact[:, 1] = True
    shared_known &= ~exact
    # the damping only keeps a singular matrix (two columns on one spot) finite
    system: System = factorise(normal, plan, known, shared_known, torch.full((len(column),), 1e-13, dtype=column.dtype))
    blocks, cross, common = system.covariance()
    variance = torch.where(known, blocks.diagonal(dim1=-2, dim2=-1), torch.inf)
    unknown = torch.where(exact, 0.0, torch.inf)
    shared_variance = torch.where(shared_known, common.diagonal(dim1=-2, dim2=-1), unknown)
    if column.shape[-1] == 4:
        sigma_variance, covariance = variance[..., 3], blocks[..., 0, 3]
    else:
        sigma_variance, covariance = shared_variance[:, 1:].expand(column.shape[:2]), cross[..., 0, 1]
    height, sigma = column[..., 0], widths(column, shared)
    by_height, by_sigma = 2 * torch.pi * sigma**2, 4 * torch.pi * sigma * height
    bend = torch.where(by_sigma > 0, by_sigma**2 * sigma_variance + 2 * by_height * by_sigma * covariance, 0.0)
    variances = {
        "height": variance[..., 0],
        "x": variance[..., 1],
        "y": variance[..., 2],
        "sigma": sigma_variance,
    }
    variances |= {"scs": by_height**2 * variance[..., 0] + bend, "background": shared_variance[:, 0]}
    return {name: value.clamp(min=0.0).sqrt() for name, value in variances.items()}
