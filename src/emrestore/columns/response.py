"""Fields of exact Gaussian columns: what an estimate follows, and how near it comes to the bounds that hold for it.

The columns stand on a square lattice and everything but their positions is alike, so that bounds are exact (the model
is the truth) and one column stands for all. Displacing a few columns shows on all columns around them how estimates
respond: x̂ of the column at offset d from a displaced one moves as x̂ of any column does when its neighbour at offset -d
is displaced. The directions in which they are displaced alternate such that what they do to each other's neighbours
averages to nothing. The bounds are those of :mod:`emrestore.columns.audit`.

Noise is drawn by inversion (:mod:`emrestore.distort.noise`) from one key for each realisation and dose, whatever the
columns do: differences between fields are then nearly free of it.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from scipy.linalg import block_diag

from emrestore import store
from emrestore.columns.audit import displacement_slope, fisher_matrix, measured_biased_bound, van_trees
from emrestore.columns.model import render
from emrestore.columns.table import fit_stack
from emrestore.distort import noise
from emrestore.errors import EmrestoreError
from emrestore.restore import Method, restore
from emrestore.rng import key, stream
from emrestore.stats import jackknife_interval, pooled

#: Neighbours up to this many lattice steps along either axis, whose positions an estimate may follow.
RINGS = 3
#: Of the columns that may be displaced, every such one along either axis is.
EVERY = 5
AXES = ("x", "y")


@dataclass(frozen=True)
class Lattice:
    """A square field of Gaussian columns of one kind, its border midway between columns.

    Attributes
    ----------
    columns
        Along either axis.
    pitch, sigma
        Distance and width of columns [px].
    height, background
        Expected electrons per pixel for each e/Å².
    pixel_size
        Edge of a pixel [Å].
    """

    columns: int
    pitch: float
    sigma: float
    height: float
    background: float
    pixel_size: float

    @property
    def shape(self) -> tuple[int, int]:
        """Y, X of the images [px]."""
        return (round(self.columns * self.pitch),) * 2

    @property
    def sites(self) -> np.ndarray:
        """(K, 2) x, y [px]; column number = row x columns + place in the row."""
        places = (np.arange(self.columns) + 0.5) * self.pitch - 0.5
        return np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)

    def inside(self, margin: float) -> np.ndarray:
        """(K,) whether a column is at least ``margin`` columns away from the outermost ones."""
        place = np.arange(self.columns)
        far = np.minimum(place, place[::-1]) >= margin
        return (far[:, None] & far).ravel()

    def displaced(self) -> np.ndarray:
        """Give the columns (S,) that are displaced: every fifth whose neighbours are not outermost ones.

        Raises
        ------
        EmrestoreError
            If the field is too small for one.
        """
        chosen = self._chosen()
        return (chosen[:, None] * self.columns + chosen).ravel()

    def signs(self, realisations: int) -> np.ndarray:
        """Give the directions (R, S), 1 or -1, in which they are displaced; of any two, the product averages to zero.

        It does so over every four realisations, which reverse none, every other column, every other row, or both.
        """
        place = np.arange(len(self._chosen()))
        flip_x, flip_y = (np.arange(realisations) // period % 2 for period in (1, 2))
        flipped = flip_y[:, None, None] * place[:, None] + flip_x[:, None, None] * place
        return (1 - 2 * (flipped % 2)).reshape(realisations, -1)

    def _chosen(self) -> np.ndarray:
        """Give their places along an axis."""
        chosen = np.arange(RINGS + 1, self.columns - RINGS - 1, EVERY)
        if not len(chosen):
            raise EmrestoreError(f"{self.columns} columns along an axis are too few: give at least {2 * RINGS + 3}")
        return chosen

    def expected(self, displacements: np.ndarray, dose: float, contents: np.ndarray | float = 1.0) -> np.ndarray:
        """Give the expected electrons per pixel (N, Y, X).

        Parameters
        ----------
        displacements
            (N, K, 2) [px].
        dose
            [e/Å²].
        contents
            (K,) what each column holds, over a whole column.
        """
        places = torch.as_tensor(self.sites + displacements)
        heights = dose * self.height * torch.as_tensor(contents, dtype=places.dtype).expand(places.shape[:-1])
        column = torch.cat([heights[..., None], places], dim=-1)
        shared = torch.tensor([[dose * self.background, self.sigma]], dtype=torch.float64).expand(len(places), -1)
        return render(column, shared, self.shape).numpy()

    def information(self, displacements: np.ndarray | float = 0.0, *, alone: bool = False) -> np.ndarray:
        """Give the Fisher matrix of the positions for a dose of 1 e/Å², to which it is proportional [px⁻²].

        Parameters
        ----------
        displacements
            (K, 2) [px].
        alone
            Whether heights, width are known (F of the positions), or estimated with them (the inverse of their part of
            F⁻¹).

        Returns
        -------
        ndarray
            (2 K, 2 K), x and y of the first column, of the second and so on.
        """
        x, y = (self.sites + displacements).T
        height = np.full(len(x), self.height)
        fisher = fisher_matrix(self.shape, x, y, height, self.sigma, self.background, free_background=False)
        position = np.zeros(len(fisher), bool)
        position[:-1] = np.arange(len(fisher) - 1) % 3 > 0
        own, cross = fisher[np.ix_(position, position)], fisher[np.ix_(position, ~position)]
        if alone:
            return own
        return own - cross @ np.linalg.solve(fisher[np.ix_(~position, ~position)], cross.T)


def read_lattice(truth: Path, pairs: Path, thickness: int, columns: int) -> Lattice:
    """Take the columns of a lattice from the maximum-likelihood fit of a clean simulated image.

    Parameters
    ----------
    truth, pairs
        Fits of clean images, in electrons of the highest dose of the pairs, and the pairs that they belong to.
    thickness
        Which of the images.
    columns
        Of the lattice, along either axis.

    Raises
    ------
    EmrestoreError
        If there is no fit of that thickness.
    """
    fits = pd.read_parquet(truth)
    fits = fits[(fits["thickness"] == thickness) & (fits["estimator"] == "ml")]
    if fits.empty:
        raise EmrestoreError(
            f"{truth} holds no maximum-likelihood fit of thickness {thickness}: choose one that it has"
        )
    source = store.read(pairs)
    mean = fits[["sigma", "height", "background"]].mean() / [1, *[float(source.dose.max())] * 2]
    return Lattice(columns, source.attrs["pitch"], *map(float, mean), source.attrs["pixel_size"])


# --- measuring ------------------------------------------------------------------------------------------------------


def response_step(lattice: Lattice, dose: float, step: float) -> float:
    """Give the displacement [px] that is ``step`` bounds of the middle column at a dose [e/Å²].

    The mean of an estimate over the noise is smooth on that scale, as noise alone moves the image as far.
    """
    middle = 2 * ((lattice.columns // 2) * (lattice.columns + 1))
    return step * float(np.sqrt(van_trees(dose * lattice.information(), np.inf)[middle, middle]))


def designs(lattice: Lattice, step: float, widths: list[float], realisations: int, seed: int) -> list[dict]:
    """Say what is displaced in each experiment.

    Parameters
    ----------
    step
        Displacement either way in the response [px].
    widths
        Standard deviations of the displacements per axis [pm]. Fields of two widths are displaced in proportion.
    realisations, seed
        How many fields of each, and the root seed.

    Returns
    -------
    list of dict
        ``experiment`` (``"response"`` or ``"prior"``), ``axis`` of the response and ``sign``, in which the fields with
        -1 are displaced against those with 1, ``width`` [pm] of the prior, and ``displacements`` (realisations, K, 2)
        [px].
    """
    found = []
    for (place, axis), sign in product(enumerate(AXES), (1, -1)):
        moved = np.zeros((realisations, lattice.columns**2, 2))
        moved[:, lattice.displaced(), place] = sign * step * lattice.signs(realisations)
        found.append({"experiment": "response", "axis": axis, "sign": sign, "width": 0.0, "displacements": moved})
    draws = prior_draws(lattice, realisations, seed)
    return found + [
        {
            "experiment": "prior",
            "axis": "",
            "sign": 0,
            "width": float(width),
            "displacements": draws * (width / 100 / lattice.pixel_size),
        }
        for width in widths
    ]


def prior_draws(lattice: Lattice, realisations: int, seed: int) -> np.ndarray:
    """Draw standard normal displacements (R, K, 2), the same for every dose and prior width."""
    return np.stack(
        [
            stream(seed, "audit", "displacements", number).standard_normal((lattice.columns**2, 2))
            for number in range(realisations)
        ]
    )


def measure(
    lattice: Lattice,
    design: dict,
    dose: float,
    method: Method,
    estimators: list[str],
    seed: int,
) -> pd.DataFrame:
    """Draw the fields of a design, restore them and fit all columns, starting at the lattice sites.

    Parameters
    ----------
    design
        One of :func:`designs`; with ``contents``, columns that are not whole.
    dose
        [e/Å²].
    method
        What restores them, as :func:`emrestore.restore.open_method` gives it.
    estimators
        Of :func:`emrestore.columns.table.fit_stack`; the columns share a width and the background is held at zero.
    seed
        Root seed of the noise, which is that of dose and realisation in every design.

    Returns
    -------
    DataFrame
        One row per estimator, realisation and column: the design, ``dx, dy`` true and ``x, y`` measured displacements
        off the lattice [px], ``scs`` (volume [electrons]), ``converged, on_bound``.
    """
    displacements = design["displacements"]
    keys = noise.keys(key(seed, "audit", "noise", dose), len(displacements))
    expected = lattice.expected(displacements, dose, design.get("contents", 1.0))
    counts = noise.poisson(keys, torch.from_numpy(expected).float()).numpy()
    images = restore(counts, method=method)
    tables = []
    for estimator in estimators:
        rows = fit_stack(images, lattice.sites, estimator, "shared", "zero")
        rows = rows[["image", "column", "x", "y", "scs", "converged", "on_bound"]].rename(
            columns={"image": "realisation"}
        )
        rows[["x", "y"]] -= lattice.sites[rows["column"]]
        rows[["dx", "dy"]] = displacements.reshape(-1, 2)
        for name in ("width", "sign", "axis", "experiment"):
            rows.insert(0, name, design[name])
        rows.insert(0, "dose", dose)
        rows.insert(0, "estimator", estimator)
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


# --- what the measurements say --------------------------------------------------------------------------------------


def offsets() -> np.ndarray:
    """Give the lattice offsets (O, 2) as x, y of a column and its neighbours, row by row."""
    steps = np.arange(-RINGS, RINGS + 1)
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def responses(plus: np.ndarray, minus: np.ndarray, distance: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Gather, for estimates of one column, how they follow it and its neighbours.

    Parameters
    ----------
    plus, minus
        (2, R, K, 2) measured displacements x, y in R realisations of two pairs of designs: columns moved along x, and
        along y; forth and back.
    distance
        (2, R, S) by which the columns of :meth:`Lattice.displaced` were moved in ``plus``, in the unit of the rest.

    Returns
    -------
    ndarray
        (R, S, 2, 2 O) difference quotients for S displaced columns: of x and y of the estimate, by x or y (the fastest
        index) of the column at an offset (see :func:`offsets`).
    """
    off = offsets() @ [1, lattice.columns]
    # the neighbour at offset d of an observed column is displaced: the observed one is at -d from what was
    seen = (plus - minus)[:, :, lattice.displaced()[:, None] - off]  # (axis, R, S, O, estimate)
    seen = seen / (2 * distance[..., None, None])
    return seen.transpose(1, 2, 4, 3, 0).reshape(*seen.shape[1:3], 2, -1)


def near_information(lattice: Lattice) -> np.ndarray:
    """Give the Fisher matrix (2 O, 2 O) for 1 e/Å² of a column and its neighbours, all else known, as offsets go.

    With the rest known, M F⁻¹ Mᵀ is a bound whatever the estimate does with the rest; with the rest estimated it would
    be one only if the estimate did not follow it.
    """
    centre = (lattice.columns // 2) * (lattice.columns + 1)
    around = centre + offsets() @ [1, lattice.columns]
    rows = (2 * around[:, None] + [0, 1]).ravel()
    return lattice.information(alone=True)[np.ix_(rows, rows)]


def summarise(rows: pd.DataFrame, lattice: Lattice, margin: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Summarise what :func:`measure` gave for all designs at one dose, with one method and estimator.

    Parameters
    ----------
    rows
        Of all designs.
    margin
        Columns at the border that are not scored.

    Returns
    -------
    table : DataFrame
        ``experiment, quantity, prior, value, low, high, unit, n, left_out``: of :func:`summarise_response` and
        :func:`summarise_errors`, and ``on_bound``, the share of fits that ended on a bound of the fit.
    gradient : DataFrame
        See :func:`summarise_response`.
    """
    dose = float(rows["dose"].iloc[0])

    def stacked(some: pd.DataFrame, *names: str) -> np.ndarray:
        some = some.sort_values(["realisation", "column"])
        return some[list(names)].to_numpy().reshape(-1, lattice.columns**2, len(names))

    moved = rows[rows["experiment"] == "response"]
    pairs = [[moved[(moved["sign"] == sign) & (moved["axis"] == axis)] for axis in AXES] for sign in (1, -1)]
    plus, minus = (np.stack([stacked(some, "x", "y") for some in pair]) for pair in pairs)
    distance = np.stack(
        [stacked(some, f"d{axis}")[:, lattice.displaced(), 0] for some, axis in zip(pairs[0], AXES, strict=True)]
    )
    table, gradient = summarise_response(plus, minus, distance, lattice, dose)
    tables = [table.assign(experiment="response", prior=0.0)]
    inside = np.flatnonzero(lattice.inside(margin))
    for width, some in rows[rows["experiment"] == "prior"].groupby("width"):
        table = summarise_errors(stacked(some, "dx", "dy"), stacked(some, "x", "y"), lattice, margin)
        scored = some.loc[some["column"].isin(inside), "on_bound"]
        share = {"quantity": "on_bound", "value": scored.mean(), "unit": "", "n": len(scored), "left_out": 0}
        tables.append(pd.concat([table, pd.DataFrame([share])]).assign(experiment="prior", prior=width))
    return pd.concat(tables, ignore_index=True), gradient


def summarise_response(
    plus: np.ndarray, minus: np.ndarray, distance: np.ndarray, lattice: Lattice, dose: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the gradient of the mean of an estimate, and the biased bound that follows.

    Parameters
    ----------
    plus, minus, distance
        What :func:`responses` takes [px]; not finite where a fit failed.
    dose
        [e/Å²].

    Returns
    -------
    table : DataFrame
        ``quantity, value, low, high, unit, n, left_out``: ``biased_bound`` [pm], the root of the mean of x's and y's;
        ``own`` and ``neighbours``, the pm by which an estimate moves for each pm that its column, or that all
        neighbours together, move along the same axis. ``n`` counts displaced columns times realisations.
    gradient : DataFrame
        ``estimate, parameter`` (x or y), ``offset_x, offset_y, value, se``.
    """
    change = responses(plus, minus, distance, lattice)
    good = np.isfinite(change).all(axis=(2, 3))
    counted = {"n": int(good.sum()), "left_out": int((~good).sum())}
    # Columns of one image share noise: the independent unit is the realisation. What displaced columns do to each
    # other's neighbours cancels in the mean; of R realisations, it lowers the bound's square by a share of up to
    # 1 / (R - 1) of what their windows overlap
    some = good.any(axis=1)
    quotients = np.mean(change[some], axis=1, where=good[some, :, None, None])
    fisher = dose * near_information(lattice)
    found = measured_biased_bound(fisher, quotients, -quotients, 1.0)
    off = offsets()
    gradient = pd.DataFrame(
        [
            {"estimate": estimate, "parameter": axis, "offset_x": dx, "offset_y": dy}
            for estimate in AXES
            for (dx, dy) in off.tolist()
            for axis in AXES
        ]
    ).assign(value=found["gradient"].ravel(), se=found["gradient_se"].ravel())

    # both axes as one estimate of twice the parameters, each weighing half: the bound is the mean of both variances
    together = quotients.reshape(len(quotients), 1, -1)
    both = measured_biased_bound(2 * block_diag(fisher, fisher), together, -together, 1.0)
    pm = 100 * lattice.pixel_size
    value, low, high = (pm * float(both[name][0]) for name in ("std", "std_low", "std_high"))
    rows = [{"quantity": "biased_bound", "unit": "pm", "value": value, "low": low, "high": high}]
    same = quotients.reshape(len(quotients), 2, len(off), 2)
    same = (same[:, 0, :, 0] + same[:, 1, :, 1]) / 2
    own = (off == 0).all(axis=1)
    for name, each in (("own", same[:, own].sum(axis=1)), ("neighbours", same[:, ~own].sum(axis=1))):
        one_out = (each.sum() - each) / (len(each) - 1)
        low, high = jackknife_interval(each.mean(), one_out)
        rows.append({"quantity": name, "unit": "pm/pm", "value": each.mean(), "low": low, "high": high})
    return pd.DataFrame(rows).assign(**counted), gradient


def summarise_errors(true: np.ndarray, measured: np.ndarray, lattice: Lattice, margin: float) -> pd.DataFrame:
    """Give bias, standard deviation and RMSE of positions, pooled over columns and both axes, and the slope.

    Parameters
    ----------
    true, measured
        (R, K, 2) displacements off the lattice [px]; not finite where a fit failed.
    margin
        Columns at the border that are left out.

    Returns
    -------
    DataFrame
        ``quantity, value, low, high, unit, n, left_out``. Of fields that are all alike: ``std, rmse`` and ``bias``, the
        root mean square over columns and axes of the mean error [pm]. Of displaced ones: ``rmse``, and ``slope`` of
        measured on true displacements. Columns in which any fit failed are left out of all but the slope.
    """
    inside = lattice.inside(margin)
    true, measured = true[:, inside], measured[:, inside]
    errors = 100 * lattice.pixel_size * (measured - true)
    whole = np.isfinite(errors).all(axis=(0, 2))
    errors = errors[:, whole]
    found = pooled(errors)
    counted = {"n": found["n"], "left_out": int((~whole).sum()) * len(errors), "unit": "pm"}

    def row(quantity: str, source: str) -> dict:
        values = {"value": found[source], "low": found[f"{source}_low"], "high": found[f"{source}_high"]}
        return {"quantity": quantity} | values | counted

    if np.ptp(true) == 0:
        return pd.DataFrame([row("std", "std"), row("rmse", "rmse"), row("bias", "bias_rms")])
    kept = displacement_slope(true, measured)
    slope = {name: kept[source] for name, source in (("value", "slope"), ("low", "slope_low"), ("high", "slope_high"))}
    slope |= {"quantity": "slope", "unit": "pm/pm", "n": kept["n"], "left_out": kept["left_out"]}
    return pd.DataFrame([row("rmse", "rmse"), slope])


def bounds(lattice: Lattice, doses: list[float], draws: np.ndarray, widths: np.ndarray, margin: float) -> pd.DataFrame:
    """Give the bounds of positions, both axes together, for doses and prior widths.

    Parameters
    ----------
    doses
        [e/Å²].
    draws
        (R, K, 2) standard normal displacements, over which the information is averaged.
    widths
        Standard deviations of the prior [pm].
    margin
        Columns at the border that are left out.

    Returns
    -------
    DataFrame
        ``dose, quantity, prior, value, unit``: ``crlb`` [pm], of unbiased estimates in the undisplaced field, heights
        and width estimated along; ``van_trees`` [pm], of any estimate, even one that knows heights, width and
        background; ``lattice_site`` [pm], the error of reporting the site.
    """
    pm = 100 * lattice.pixel_size
    scored = np.repeat(lattice.inside(margin), 2)

    def row(dose: float, quantity: str, width: float, covariance: np.ndarray) -> dict:
        value = pm * float(np.sqrt(np.diag(covariance)[scored].mean()))
        return {"dose": dose, "quantity": quantity, "prior": width, "value": value, "unit": "pm"}

    none = np.zeros((len(scored), len(scored)))
    still = lattice.information()
    rows = [row(dose, "crlb", 0.0, van_trees(dose * still, np.inf)) for dose in doses]
    for width in map(float, widths):
        prior = width / pm
        information = np.mean([lattice.information(draw * prior, alone=True) for draw in draws], axis=0)
        for dose in doses:
            covariance = van_trees(dose * information, prior) if prior else none
            rows.append(row(dose, "van_trees", width, covariance))
            rows.append(row(dose, "lattice_site", width, none + prior**2))
    return pd.DataFrame(rows)
