"""Counting the atoms of columns from their scattering cross sections (SCS), and how often the count is right.

Two routes. A library of simulated cross sections counts by the nearest value (Rosenauer et al., Ultramicroscopy 109
(2009) 1171). The statistical route needs none: the cross sections of all columns of a particle are a mixture of normal
distributions of one width, a component per number of atoms, as many as the integrated classification likelihood says
(Van Aert et al., Phys. Rev. B 87 (2013) 064107; De Backer et al., Ultramicroscopy 134 (2013) 23).
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp
from scipy.stats import binomtest

from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval

#: EM stops when an iteration gains less log-likelihood than this, and after this many iterations.
GAIN = 1e-4
ITERATIONS = 1000
#: Least width of a component over the standard deviation of all values: keeps repeated values finite.
NARROWEST = 1e-4


@dataclass(frozen=True)
class Counts:
    """Numbers of atoms of columns.

    Attributes
    ----------
    atoms
        (..., K) int, 0 where a column has no finite cross section and so no count.
    counted
        (..., K) bool, whether it has.
    beyond
        (..., K) bool: more than half a step outside the library, the count is that of its end.
    """

    atoms: np.ndarray
    counted: np.ndarray
    beyond: np.ndarray


def check_library(library: np.ndarray, library_se: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """See that a library can tell n from n + 1 atoms: every step is above its own standard error.

    Parameters
    ----------
    library, library_se
        (N,) cross section of a column of n = 1 ... N atoms and its standard error, in one unit.

    Raises
    ------
    EmrestoreError
        If it cannot, or values are not finite.
    """
    library, library_se = np.asarray(library, float), np.asarray(library_se, float)
    if library.ndim != 1 or library.shape != library_se.shape or not np.isfinite([library, library_se]).all():
        raise EmrestoreError(
            "a library needs one finite cross section and one finite standard error per number of atoms: simulate at "
            "least two phonon configurations"
        )
    flat = np.flatnonzero(np.diff(library) <= np.hypot(library_se[1:], library_se[:-1]))
    if flat.size:
        n = flat[0] + 1
        raise EmrestoreError(
            f"the library's cross section does not grow from {n} to {n + 1} atoms by more than its standard error "
            f"({library[n - 1]:.4g} to {library[n]:.4g} ± {np.hypot(*library_se[n - 1 : n + 1]):.2g}): raise the "
            "number of phonon configurations"
        )
    return library, library_se


def count_by_library(scs: np.ndarray, library: np.ndarray, library_se: np.ndarray) -> Counts:
    """Count by the nearest cross section of a library.

    Parameters
    ----------
    scs
        (..., K) cross sections; not finite where a column could not be measured.
    library, library_se
        (N,) cross section of a column of n = 1 ... N atoms and its standard error, in the unit of ``scs``.

    Returns
    -------
    Counts

    Raises
    ------
    EmrestoreError
        If the library cannot tell its neighbours apart, see :func:`check_library`.
    """
    library, _ = check_library(library, library_se)
    scs = np.asarray(scs, float)
    counted = np.isfinite(scs)
    middles = (library[1:] + library[:-1]) / 2
    atoms = np.where(counted, 1 + np.searchsorted(middles, scs), 0)
    half = np.diff(library)[[0, -1]] / 2 if len(library) > 1 else np.full(2, np.inf)
    return Counts(atoms, counted, counted & ((scs < library[0] - half[0]) | (scs > library[-1] + half[1])))


@dataclass(frozen=True)
class MixtureCounts:
    """Numbers of atoms by the statistical route, with the mixture that gave them; B images, K columns.

    Attributes
    ----------
    atoms
        (B, K) int: rank of the likeliest component plus ``offset``; 0 where a column has no finite cross section.
    counted
        (B, K) bool, whether it has.
    components
        (B,) number of components, the least ICL.
    means, weights
        (B, most) centres, increasing, and shares of the components; NaN beyond ``components``.
    width
        (B,) standard deviation of all components.
    icl
        (B, most) integrated classification likelihood of 1, 2, ... components; infinite where not tried.
    offset
        (B,) int: the first component is ``offset`` + 1 atoms.
    ambiguity
        (B,) misfit to the library of this offset over that of the second best, root mean squares: 0 is clear, 1 is
        undecided; NaN where the offset was given or no other is possible.
    """

    atoms: np.ndarray
    counted: np.ndarray
    components: np.ndarray
    means: np.ndarray
    weights: np.ndarray
    width: np.ndarray
    icl: np.ndarray
    offset: np.ndarray
    ambiguity: np.ndarray


def count_by_mixture(
    scs: np.ndarray, most: int, *, library: np.ndarray | None = None, thinnest: int | None = None
) -> MixtureCounts:
    """Count by a mixture of normal distributions of one width, fitted to the cross sections of each image.

    For every number of components G up to ``most`` the likelihood is climbed by expectation and maximisation from two
    starts, the partition of the values into G groups of least squares (found exactly) and G equally spaced centres, and
    the higher kept. G is where ICL = -2 log L + 2 entropy of the memberships + 2 G log K is least; 2 G is the
    number of parameters: G centres, G - 1 shares, one width.

    Components only rank columns. Which number of atoms the first one has is either known (``thinnest``), or found by
    sliding the centres along a library for the least squares, weighted with the components' shares; neighbouring
    components are taken to differ by one atom either way, so a number of atoms that no column has shifts all above it.

    Parameters
    ----------
    scs
        (B, K) cross sections, or (K,) for one image; not finite where a column could not be measured.
    most
        Largest number of components to try.
    library
        (N,) cross section of a column of n = 1 ... N atoms, in the unit of ``scs``.
    thinnest
        Number of atoms of the thinnest columns.

    Returns
    -------
    MixtureCounts
        With ``components`` and ``offset`` 0 for an image of fewer than two finite, different values.

    Raises
    ------
    EmrestoreError
        If not exactly one of ``library`` and ``thinnest`` is given, or the library is shorter than ``most``.
    """
    if (library is None) == (thinnest is None):
        raise EmrestoreError("counting by a mixture needs either a library or the thinnest count: give one of them")
    if library is not None and len(library) < most:
        raise EmrestoreError(
            f"{most} components cannot be aligned with a library of {len(library)} atoms: lower 'most' to it"
        )
    scs = np.atleast_2d(np.asarray(scs, float))
    batch, columns = scs.shape
    counted = np.isfinite(scs)
    number = counted.sum(axis=1)
    # all that follows is in units of an image's own centre and spread
    share = counted / np.maximum(number, 1)[:, None]
    filled = np.where(counted, scs, 0.0)
    centre = (share * filled).sum(axis=1)
    spread = np.sqrt((share * (filled - centre[:, None]) ** 2).sum(axis=1))
    usable = (number > 1) & (spread > 0)
    spread = np.where(usable, spread, 1.0)
    values = np.where(counted, (scs - centre[:, None]) / spread[:, None], 0.0)

    icl = np.full((batch, most), np.inf)
    kept = (np.full((batch, most), np.nan), np.full((batch, most), np.nan), np.ones(batch))
    atoms = np.zeros((batch, columns), int)
    groups = natural_breaks(values, counted, most)
    low, high = (pick(np.where(counted, values, fill), axis=1) for pick, fill in ((np.min, np.inf), (np.max, -np.inf)))
    for g in range(1, most + 1):
        possible = np.flatnonzero(usable & (number > g))
        if not possible.size:
            break
        even = low[:, None] + (high - low)[:, None] * (np.arange(g) + 0.5) / g
        starts = np.stack([groups[g - 1], even], axis=1)[possible].reshape(-1, g)
        x, mask = (np.repeat(array[possible], 2, axis=0) for array in (values, counted))
        likelihood, mean, weight, width = climb(x, mask, starts)
        best = 2 * np.arange(len(possible)) + likelihood.reshape(-1, 2).argmax(axis=1)
        order = np.argsort(mean[best], axis=1)
        mean, weight = (np.take_along_axis(array[best], order, axis=1) for array in (mean, weight))
        width, likelihood = width[best], likelihood[best]
        log_share = memberships(values[possible], mean, weight, width)[1]
        entropy = -(np.exp(log_share) * log_share * counted[possible][..., None]).sum(axis=(1, 2))
        criterion = -2 * likelihood + 2 * entropy + 2 * g * np.log(number[possible])
        better = criterion < icl[possible].min(axis=1)
        icl[possible, g - 1] = criterion
        rows = possible[better]
        for array, found in zip(kept, (mean, weight, width), strict=True):
            array[(rows, slice(0, g)) if array.ndim == 2 else rows] = found[better]
        atoms[rows] = 1 + log_share[better].argmax(axis=-1)
    components = np.isfinite(kept[0]).sum(axis=1)
    means, weights, width = kept[0] * spread[:, None] + centre[:, None], kept[1], kept[2] * spread
    if library is None:
        offset, ambiguity = np.where(usable, thinnest - 1, 0), np.full(batch, np.nan)
    else:
        offset, ambiguity = align(means, weights, components, np.asarray(library, float))
    counted &= usable[:, None]
    atoms = np.where(counted, atoms + offset[:, None], 0)
    width = np.where(usable, width, np.nan)
    return MixtureCounts(atoms, counted, components, means, weights, width, icl, offset, ambiguity)


def natural_breaks(values: np.ndarray, counted: np.ndarray, most: int) -> list[np.ndarray]:
    """Divide values into groups of least squared deviations, exactly, by dynamic programming over sorted values.

    Parameters
    ----------
    values, counted
        (B, K) values of order one, and which of them are measured.
    most
        Largest number of groups.

    Returns
    -------
    list of ndarray
        For 1 ... ``most`` groups g their means, (B, g), increasing (Fisher, J. Am. Stat. Assoc. 53 (1958) 789).
    """
    batch, columns = values.shape
    order = np.argsort(np.where(counted, values, np.inf), axis=1)
    x, w = np.take_along_axis(values, order, axis=1), np.take_along_axis(counted, order, axis=1).astype(float)
    sums = np.concatenate([np.zeros((3, batch, 1)), np.cumsum([w, w * x, w * x * x], axis=-1)], axis=-1)

    def segment(first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return tuple(np.take_along_axis(part, end, axis=1) - np.take_along_axis(part, first, axis=1) for part in sums)

    # cost[b, i, j]: squared deviations of sorted values i ... j - 1
    weight, total, square = (part[:, None, :] - part[:, :, None] for part in sums)
    cost = np.where(np.tri(columns + 1, k=-1, dtype=bool), np.inf, square - total**2 / np.maximum(weight, 1))
    best, before, means = cost[:, 0], [], []
    for g in range(1, most + 1):
        if g > 1:
            candidates = best[:, :, None] + cost
            before.append(candidates.argmin(axis=1))
            best = candidates.min(axis=1)
        end, found = np.full((batch, 1), columns), []
        for table in [*reversed(before), None]:
            first = np.zeros_like(end) if table is None else np.take_along_axis(table, end, axis=1)
            weight, total, _ = segment(first, end)
            found.append(total / np.maximum(weight, 1))
            end = first
        means.append(np.sort(np.concatenate(found, axis=1), axis=1))
    return means


def memberships(
    x: np.ndarray, mean: np.ndarray, weight: np.ndarray, width: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Give log densities (B, K) of a mixture and the logs of the components' shares in each value (B, K, G)."""
    with np.errstate(divide="ignore"):  # a component may die out
        scale = np.log(weight) - np.log(width)[:, None] - 0.5 * np.log(2 * np.pi)
    joint = scale[:, None] - 0.5 * ((x[..., None] - mean[:, None]) / width[:, None, None]) ** 2
    total = logsumexp(joint, axis=-1)
    return total, np.maximum(joint - total[..., None], -700.0)


def climb(x: np.ndarray, mask: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, ...]:
    """Maximise the likelihood of mixtures of one width each, by expectation and maximisation.

    Parameters
    ----------
    x, mask
        (B, K) values of order one, and which of them take part.
    mean
        (B, G) centres to start from.

    Returns
    -------
    likelihood, mean, weight, width : ndarray
        (B,), (B, G), (B, G), (B,).
    """
    mean, number = mean.copy(), mask.sum(axis=1)
    weight = np.full_like(mean, 1 / mean.shape[1])
    nearest = ((x[..., None] - mean[:, None]) ** 2).min(axis=-1)
    width = np.sqrt(np.maximum((nearest * mask).sum(axis=1) / number, NARROWEST**2))
    likelihood, active = np.full(len(x), -np.inf), np.arange(len(x))
    for _ in range(ITERATIONS):
        total, log_share = memberships(x[active], mean[active], weight[active], width[active])
        gained = (total * mask[active]).sum(axis=1) - likelihood[active]
        likelihood[active] = (total * mask[active]).sum(axis=1)
        going = gained > GAIN
        active, share = active[going], np.exp(log_share[going]) * mask[active[going]][..., None]
        if not active.size:
            break
        members = np.maximum(share.sum(axis=1), 1e-12)
        mean[active] = (share * x[active][..., None]).sum(axis=1) / members
        weight[active] = members / number[active][:, None]
        square = (share * (x[active][..., None] - mean[active][:, None]) ** 2).sum(axis=(1, 2))
        width[active] = np.sqrt(np.maximum(square / number[active], NARROWEST**2))
    return likelihood, mean, weight, width


def align(
    means: np.ndarray, weights: np.ndarray, components: np.ndarray, library: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slide the components' centres along a library: offset of least squares, and misfit over the second best.

    Parameters
    ----------
    means, weights
        (B, most) centres and shares, NaN beyond ``components``.
    components
        (B,) number of components.
    library
        (N,) cross sections of n = 1 ... N atoms, N at least ``most``.

    Returns
    -------
    offset, ambiguity : ndarray
        (B,) see :class:`MixtureCounts`.
    """
    most = means.shape[1]
    place = np.arange(len(library))[:, None] + np.arange(most)
    shifted = np.append(library, np.full(most, np.nan))[place]
    misfit = np.nansum(weights[:, None] * (means[:, None] - shifted) ** 2, axis=-1)
    fits = np.arange(len(library)) + components[:, None] <= len(library)
    misfit = np.sqrt(np.where(fits, misfit, np.inf))
    best, second = np.sort(misfit, axis=1)[:, :2].T if len(library) > 1 else (misfit[:, 0], np.full(len(means), np.inf))
    clear = np.isfinite(second) & (components > 0)
    ratio = np.divide(best, second, out=np.full(len(means), np.nan), where=clear & (second > 0))
    return np.where(components > 0, misfit.argmin(axis=1), 0), ratio


def confusion(true: np.ndarray, atoms: np.ndarray, most: int) -> np.ndarray:
    """Count how often columns of n atoms were given m.

    Parameters
    ----------
    true
        (K,) true numbers of atoms, 1 ... ``most``.
    atoms
        (R, K) counts, 0 where there is none; those above ``most`` are entered at ``most``.
    most
        Largest number of atoms.

    Returns
    -------
    ndarray
        (most + 1, most + 1) int: row n, column m, with column 0 for no count; row 0 is empty. The sum is R K: no
        column is left out.
    """
    atoms = np.atleast_2d(atoms)
    pairs = np.broadcast_to(true, atoms.shape) * (most + 1) + np.minimum(atoms, most)
    return np.bincount(pairs.ravel(), minlength=(most + 1) ** 2).reshape(most + 1, most + 1)


def fraction_right(
    true: np.ndarray, atoms: np.ndarray, level: float = 0.95, *, independent: int | None = None
) -> dict[str, float]:
    """Give the fraction of columns that were counted right; a column without a count is not right.

    Parameters
    ----------
    true
        (K,) true numbers of atoms.
    atoms
        (R, K) counts of R realisations, 0 where there is none.
    level
        Coverage of the interval: the wider, at either end, of Wilson's for R K independent columns and, from three
        realisations on, the jackknife over realisations, whose columns share what a restoration did to them. (The
        jackknife alone is a point where all is right.)
    independent
        How many of the columns are independent, where images completed by symmetry repeat columns with their noise;
        None: all.

    Returns
    -------
    dict
        ``right, right_low, right_high``, ``n`` (R K) and ``not_counted``.
    """
    right = np.atleast_2d(atoms) == true
    fraction, n = right.mean(), right.size
    trials = n if independent is None else independent * len(right)
    wilson = binomtest(round(fraction * trials), trials).proportion_ci(level, method="wilson")
    low, high = wilson.low, wilson.high
    if len(right) > 2:
        each = right.mean(axis=1)
        least, greatest = jackknife_interval(fraction, (each.sum() - each) / (len(each) - 1), level)
        low, high = max(0.0, min(low, least)), min(1.0, max(high, greatest))
    return {
        "right": float(fraction),
        "right_low": float(low),
        "right_high": float(high),
        "n": n,
        "not_counted": int((np.atleast_2d(atoms) == 0).sum()),
    }
