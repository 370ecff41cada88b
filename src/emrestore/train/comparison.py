"""What networks make of rightly distorted images when they learned other distortions, or other images (Fig. 7).

Judged are pairs of clean and distorted images, in which the truth is known pixel by pixel, and lattices of columns,
whose places are (:mod:`emrestore.train.lattices`). Artefacts are what a wrong model of the scan leaves behind: a lag
along the fast axis, rows that still jitter, and streaks along rows. Annotations and cropped borders are part of the
truth, and restoration is to keep them.
"""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy import fft

from emrestore.distort import chain as chains
from emrestore.distort.annotation import Annotations
from emrestore.distort.chain import Chain
from emrestore.distort.cropping import Cropping
from emrestore.distort.effect import Parameters

#: Displacements that are tried [px], near enough to each other for a parabola, since columns are wider. A scan lags and
#: hardly leads; a wider range would reach the next column, which looks alike.
SHIFTS = np.arange(-2, 6.01, 0.25)
#: Without the pixels at the borders, which may come from outside the image.
INSIDE = (slice(None), slice(7, -7), slice(7, -7))
#: Effects that are part of the truth and must come through unchanged, by what their pixels are called.
KEPT = {"annotated": Annotations, "cropped": Cropping}


def changed(distortions: Mapping, chain: str, changes: Mapping[str, Mapping]) -> Chain:
    """Build a chain of which some effects have other settings.

    Parameters
    ----------
    distortions
        The branch of the configuration, as :func:`emrestore.distort.chain.build` takes it.
    chain
        Its name.
    changes
        Name of an effect -> settings that replace its own: ``{"fast_scan": {"dwell_time": [0.2, 0.2]}}``. All that does
        not depend on them is drawn as without.

    Raises
    ------
    EmrestoreError
        If a setting is not one of the effect's.
    """
    effects = {
        name: {**settings, **changes[name]} if name in changes else settings
        for name, settings in distortions["effects"].items()
    }
    return chains.build({**distortions, "effects": effects}, chain)


# --- what must come through unchanged -------------------------------------------------------------------------------


def overlays(chain: Chain, drawn: Mapping[str, Parameters], shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Tell which pixels an annotation covers wholly, or cropping has filled.

    Each effect is imposed once more, at level one on images of zero: what is one belongs to it alone.

    Returns
    -------
    dict
        ``annotated`` and ``cropped``, (N, Y, X) bool; a pixel that is both is cropped, since that comes last.
    """
    found = {}
    for name, _, effect in chain.effects:
        kind = next((kind for kind, known in KEPT.items() if isinstance(effect, known)), None)
        if kind:
            marked = {key: values for key, values in drawn[name].items() if key != "occurs"}
            marked["level"] = torch.ones_like(marked["level"])
            covered = effect.apply(torch.zeros(len(marked["level"]), 1, *shape), marked)[:, 0] == 1
            found[kind] = (covered & drawn[name]["occurs"][:, None, None]).numpy()
    if found.keys() == KEPT.keys():
        found["annotated"] &= ~found["cropped"]
    return found


def changes_of(restored: np.ndarray, truth: np.ndarray, regions: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Give the mean absolute change of the pixels of regions over the truth's maximum, and that of all others.

    Parameters
    ----------
    restored, truth
        (N, Y, X).
    regions
        Name -> (N, Y, X) bool, as :func:`overlays` gives them.

    Returns
    -------
    dict
        A mean over images for each region, NaN where no image has it, and for ``elsewhere``.
    """
    change = np.abs(restored - truth) / truth.max(axis=(1, 2), keepdims=True)
    regions = {**regions, "elsewhere": ~np.any([*regions.values()], axis=0)}
    found = {}
    for name, region in regions.items():
        pixels = region.sum(axis=(1, 2))
        there = pixels > 0
        means = (change * region).sum(axis=(1, 2))[there] / pixels[there]
        found[name] = float(means.mean()) if there.any() else np.nan
    return found


# --- artefacts of a scan that was modelled wrongly ------------------------------------------------------------------


def lags(restored: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Give how far restored images lie behind the truth along the fast axis.

    The truth is displaced by each of :data:`SHIFTS`; where the sum of squared differences is least, the vertex of a
    parabola is taken.

    Parameters
    ----------
    restored, truth
        (N, Y, X).

    Returns
    -------
    ndarray
        (N,) [px], positive towards larger x, within -2 and 6.
    """
    sums = np.stack(
        [((restored - displaced(truth, shift))[INSIDE] ** 2).sum(axis=(1, 2), dtype=float) for shift in SHIFTS], axis=-1
    )
    place = np.clip(sums.argmin(axis=-1), 1, len(SHIFTS) - 2)[:, None]
    before, here, after = (np.take_along_axis(sums, place + step, -1)[:, 0] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    step = np.where(bend > 0, 0.5 * (before - after) / np.where(bend > 0, bend, 1), 0.0)
    return SHIFTS[place[:, 0]] + np.clip(step, -1, 1) * (SHIFTS[1] - SHIFTS[0])


def row_jitter(restored: np.ndarray, truth: np.ndarray, axis: int) -> np.ndarray:
    """Give the root mean square of displacements of restored rows against their neighbours.

    A row's displacement is d = -Σ T' (R - T) / Σ T'² with T' the derivative of the truth along the axis: the least
    squares of R = T - d T', for displacements that are small against a column's width. (Over a greater range the two
    flanks of a column look alike across rows.) Rows count by Σ T'², what they know of d; two neighbours as much as the
    one that knows less.

    Parameters
    ----------
    restored, truth
        (N, Y, X), the truth already displaced by the image's lag.
    axis
        -1: along the row; -2: across it.

    Returns
    -------
    ndarray
        (N,) [px].
    """
    slope = derivative(truth, axis)[INSIDE].astype(float)
    known = (slope**2).sum(axis=-1)
    moved = -(slope * (restored - truth)[INSIDE]).sum(axis=-1) / np.maximum(known, np.finfo(float).tiny)
    weight = np.minimum(known[:, 1:], known[:, :-1])
    squares = (weight * np.diff(moved, axis=-1) ** 2).sum(axis=-1)
    return np.sqrt(squares / np.maximum(weight.sum(axis=-1), np.finfo(float).tiny))


def displaced(images: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
    """Displace images (N, Y, X) along x by one or (N,) shifts [px]; mirrored at its borders, an image is periodic."""
    shift = np.reshape(shift, (-1, 1, 1))
    return _filtered(images, -1, lambda frequency: np.exp(-1j * shift * frequency))


def derivative(images: np.ndarray, axis: int) -> np.ndarray:
    """Differentiate images (N, Y, X) along an axis [per pixel], mirrored at their borders."""
    return _filtered(images, axis, lambda frequency: 1j * frequency)


def _filtered(images: np.ndarray, axis: int, response: Callable) -> np.ndarray:
    """Multiply the spectrum of the mirrored images by a function of the angular frequency [1/px]."""
    edge = images.shape[axis]
    spectrum = fft.rfft(np.concatenate([images, np.flip(images, axis)], axis), axis=axis)
    frequency = 2 * np.pi * np.fft.rfftfreq(2 * edge)
    factor = response(frequency if axis == -1 else frequency[:, None]).astype(np.complex64)
    return np.take(fft.irfft(spectrum * factor, 2 * edge, axis=axis), range(edge), axis)


def streaks(restored: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Give the share of the residual's variance that row means hold, (N,): 1 / X for independent pixels, 1 at most."""
    residual = (restored - truth).astype(float)
    total = residual.var(axis=(1, 2))
    return residual.mean(axis=2).var(axis=1) / np.maximum(total, np.finfo(float).tiny)


def artefacts(restored: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Give medians over images of ``lag``, ``jitter_x``, ``jitter_y`` [px] and ``streaks``.

    Medians, since rows of an image without structure can lie anywhere.
    """
    lag = lags(restored, truth)
    aligned = displaced(truth, lag)
    found = {
        "lag": lag,
        "jitter_x": row_jitter(restored, aligned, -1),
        "jitter_y": row_jitter(restored, aligned, -2),
        "streaks": streaks(restored, truth),
    }
    return {name: float(np.median(values)) for name, values in found.items()}
