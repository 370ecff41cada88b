"""Errors of fitted columns, and their tables."""

import numpy as np
import pandas as pd
import xarray as xr

from emrestore.stats import jackknife_interval, pooled, slope


def rmse(images: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Give the root-mean-square difference of images (..., Y, X), which broadcast, in their unit."""
    return np.sqrt(((images - truth) ** 2).mean(axis=(-2, -1)))


def psnr(images: np.ndarray, truth: np.ndarray, data_range: np.ndarray | float) -> np.ndarray:
    """Give the peak signal-to-noise ratio [dB], 10 log10(MAX² / MSE) (Eq. 1), with MAX = ``data_range``."""
    with np.errstate(divide="ignore"):  # equal images: infinite
        return 20 * np.log10(data_range / rmse(images, truth))


def image_scores(images: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Give the means over images of :func:`scores_by_image`."""
    return {name: float(np.mean(values)) for name, values in scores_by_image(images, truth).items()}


def scores_by_image(images: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Score each of a stack of images: PSNR [dB] with the truth's maximum as MAX, L1 over that maximum, and SSIM.

    SSIM is that of Wang et al. (2004) in square windows of 7 pixels, as scikit-image has it, with the range of the
    truth, maximum less minimum, as its L: with the maximum, images of low contrast on a high level would score well
    whatever becomes of the contrast.

    Parameters
    ----------
    images, truth
        (N, Y, X) in one unit.

    Returns
    -------
    dict
        ``psnr``, ``ssim`` and ``l1``, (N,) each.
    """
    # heavy, and not needed for errors of columns
    from skimage.metrics import structural_similarity

    peak = truth.max(axis=(1, 2))
    extent = np.ptp(truth, axis=(1, 2))
    # a uniform truth has no range
    extent = np.where(extent > 0, extent, peak)
    likeness = [
        structural_similarity(one, other, data_range=most)
        for one, other, most in zip(images, truth, extent, strict=True)
    ]
    return {
        "psnr": psnr(images, truth, peak),
        "ssim": np.array(likeness),
        "l1": np.abs(images - truth).mean(axis=(1, 2)) / peak,
    }


#: Conditions that tables keep apart.
CONDITION = ["sampling", "thickness", "dose", "method"]


def column_errors(fits: pd.DataFrame, truth: pd.DataFrame, geometry: xr.Dataset, border: float) -> pd.DataFrame:
    """Set fitted columns against the fits of the clean image by the same estimator.

    Parameters
    ----------
    fits
        One row per estimator, dose, thickness, realisation and column; x, y in px, scs in Å².
    truth
        The same of the clean images, without dose and realisation.
    geometry
        Dataset of the pairs: sites and displacements of columns [px], pixel size [Å], pitch [px], image size.
    border
        Columns whose site lies nearer to the image border than this many pitches are not scored.

    Returns
    -------
    DataFrame
        Adds ``x_error, y_error`` [pm], ``scs_error`` [fraction of the true SCS], ``ux, uy`` (measured displacement from
        the lattice site [pm]), ``ux_clean, uy_clean`` (of the clean fit [pm]), ``ux_atoms, uy_atoms`` (of the atoms
        [pm]) and ``scored``.
    """
    keys = ["estimator", "thickness", "column"]
    merged = fits.merge(truth[[*keys, "x", "y", "scs"]], on=keys, suffixes=("", "_clean"), validate="many_to_one")
    if len(merged) != len(fits):
        raise ValueError("a fitted column has no counterpart in the clean image")
    picometres = geometry.attrs["pixel_size"] * 100
    column = merged["column"].to_numpy()
    result = merged[["estimator", "dose", "thickness", "realisation", "column", "converged", "on_bound"]].copy()
    for axis in ("x", "y"):
        site, shift = geometry[f"{axis}_site"].values[column], geometry[f"d{axis}"].values[column]
        result[f"{axis}_error"] = (merged[axis] - merged[f"{axis}_clean"]) * picometres
        result[f"u{axis}"] = (merged[axis] - site) * picometres
        result[f"u{axis}_clean"] = (merged[f"{axis}_clean"] - site) * picometres
        result[f"u{axis}_atoms"] = shift * picometres
    result["scs_error"] = merged["scs"] / merged["scs_clean"] - 1
    result["scs_clean"] = merged["scs_clean"]
    result["scored"] = is_inside(geometry, border)[column]
    return result


def is_inside(geometry: xr.Dataset, border: float) -> np.ndarray:
    """Tell which columns' sites are at least ``border`` pitches away from the image's edges, (columns,) bool."""
    sites = np.stack([geometry.x_site.values, geometry.y_site.values])
    last = np.array([[geometry.sizes["x"] - 0.5], [geometry.sizes["y"] - 0.5]])
    # edges lie half a pixel outside the centres of the outermost pixels; 1e-6 keeps columns exactly on the line
    distance = np.minimum(sites + 0.5, last - sites).min(axis=0)
    return distance >= border * geometry.attrs["pitch"] - 1e-6


def errors_of(rows: pd.DataFrame, names: list[str]) -> np.ndarray:
    """Arrange one condition's rows as (realisations, columns, len(names))."""
    rows = rows.sort_values(["realisation", "column"])
    realisations = rows["realisation"].nunique()
    return rows[names].to_numpy().reshape(realisations, -1, len(names))


def precision_table(scores: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """Tabulate bias, std, RMSE and bound per sampling, thickness, dose, method and quantity (Fig. 3).

    Parameters
    ----------
    scores
        Rows of :func:`column_errors` with ``sampling`` and ``method``.
    bounds
        Cramér-Rao bounds per sampling, dose, thickness and column: ``crlb_x, crlb_y`` [pm], ``crlb_scs`` [Å²].

    Returns
    -------
    DataFrame
        Quantities ``x, y`` and ``position`` (both pooled: per-axis values) in pm, ``scs`` in % of the true value. The
        bound is the root mean square over the scored columns. ``not_converged`` and ``on_bound`` are the shares of
        fits that ended so; they are part of all other columns, nothing is left out.
    """
    scores = scores[scores["scored"]]
    bounds = bounds.set_index(["sampling", "dose", "thickness", "column"])
    rows = []
    for condition, group in scores.groupby(CONDITION, sort=True):
        sampling, thickness, dose, _ = condition
        columns = np.sort(group["column"].unique())
        limit = bounds.loc[(sampling, dose, thickness)].loc[columns]
        clean = group.drop_duplicates("column").set_index("column").loc[columns, "scs_clean"]
        shares = {"not_converged": 1 - group["converged"].mean(), "on_bound": group["on_bound"].mean()}
        for quantity, names, unit, scale, bound in (
            ("x", ["x_error"], "pm", 1, limit["crlb_x"] ** 2),
            ("y", ["y_error"], "pm", 1, limit["crlb_y"] ** 2),
            ("position", ["x_error", "y_error"], "pm", 1, (limit["crlb_x"] ** 2 + limit["crlb_y"] ** 2) / 2),
            ("scs", ["scs_error"], "%", 100, (100 * limit["crlb_scs"] / clean) ** 2),
        ):
            statistics = pooled(scale * errors_of(group, names))
            row = dict(zip(CONDITION, condition, strict=True)) | {"quantity": quantity, "unit": unit}
            rows.append(row | statistics | {"crlb": float(np.sqrt(bound.mean()))} | shares)
    return pd.DataFrame(rows)


def displacement_table(scores: pd.DataFrame, bounds: pd.DataFrame) -> pd.DataFrame:
    """Tabulate how much of true displacements a method keeps, beside its position errors.

    Returns
    -------
    DataFrame
        :func:`precision_table`'s rows of ``position`` with, per row, the slope of measured against true displacement
        (that of the clean fit) along the fast (x) and slow (y) scan axis with intervals, ``displacement``: the root
        mean square of the true displacements per axis [pm], which is the error of reporting the lattice sites without
        looking at the image, and ``slope_clean``: the slope of the clean fit's against the atoms' displacements.
    """
    table = precision_table(scores, bounds)
    table = table[table["quantity"] == "position"].set_index(CONDITION)
    rows = []
    for condition, group in scores[scores["scored"]].groupby(CONDITION, sort=True):
        row = dict(zip(CONDITION, condition, strict=True))
        for axis in ("x", "y"):
            pair = errors_of(group, [f"u{axis}_clean", f"u{axis}"])
            found = slope(pair[..., 0], pair[..., 1])
            row |= {key.replace("slope", f"slope_{axis}"): item for key, item in found.items()}
        atoms, clean = (
            errors_of(group, [f"ux_{kind}", f"uy_{kind}"])[:1].reshape(1, -1) for kind in ("atoms", "clean")
        )
        row["displacement"] = float(np.sqrt((clean**2).mean()))
        row["slope_clean"] = float(np.polyfit(atoms[0], clean[0], 1)[0])
        rows.append(row)
    slopes = pd.DataFrame(rows).set_index(CONDITION)
    return table.join(slopes).reset_index()


def accuracy_table(scores: pd.DataFrame, regions: dict[str, np.ndarray], bounds: pd.DataFrame) -> pd.DataFrame:
    """Tabulate absolute errors per sampling, thickness, dose, method and region (Figs 4 and 5).

    Parameters
    ----------
    scores
        Rows of :func:`column_errors` with ``sampling`` and ``method``; unscored columns are left out.
    regions
        Name -> numbers of its columns.
    bounds
        Cramér-Rao bounds per dose, thickness and column for shot noise alone: ``crlb_x, crlb_y`` [pm], ``crlb_scs``
        [Å²].

    Returns
    -------
    DataFrame
        ``region, quantity, unit, value, low, high, crlb, columns, not_converged, on_bound`` beside the condition.
        Quantities: ``position``, the mean distance of a fitted column from its clean fit [pm]; ``position_drift``, the
        same after the mean displacement of all scored columns of each image is taken away, as a rigid shift of an
        image matters to few; ``position_atoms``, the mean distance from the column's atoms at rest; ``scs``, the mean
        absolute error of cross sections [%]; and of positions (per axis) and cross sections ``_bias`` (root mean square
        over columns of their mean errors, less what noise leaves of it), ``_std`` over realisations, and ``_rmse``,
        beside the bound's root mean square (``crlb``). Intervals are of 95 %, over realisations. Fits that did not
        converge or ended on a bound are part of all values, and their shares are given; columns without a finite error
        in every realisation are left out and counted (``left_out``).
    """
    scores = scores[scores["scored"]]
    names = ["x_error", "y_error", "scs_error"]
    bounds = bounds.set_index(["dose", "thickness", "column"])
    rows = []
    for condition, group in scores.groupby(CONDITION, sort=True):
        errors = errors_of(group, names)
        numbers = np.sort(group["column"].unique())
        placed = errors_of(group, ["ux", "uy"]) - errors_of(group, ["ux_atoms", "uy_atoms"])
        clean = group.drop_duplicates("column").set_index("column")["scs_clean"].loc[numbers].to_numpy()
        limit = bounds.loc[condition[2], condition[1]].loc[numbers]
        still = errors[..., :2] - np.nanmean(errors[..., :2], axis=1, keepdims=True)
        for region, members in regions.items():
            # a column whose clean fit is empty has no relative error
            measured = np.isfinite(errors).all(axis=(0, 2))
            inside = np.isin(numbers, members) & measured
            if not inside.any():
                continue
            part, scs = errors[:, inside], 100 * errors[:, inside, 2:]
            of_region = group[group["column"].isin(members)]
            shares = {"not_converged": 1 - of_region["converged"].mean(), "on_bound": of_region["on_bound"].mean()}
            crlb = {
                "position": np.sqrt((limit.loc[inside, ["crlb_x", "crlb_y"]] ** 2).to_numpy().mean()),
                "scs": 100 * np.sqrt(((limit["crlb_scs"] / clean)[inside] ** 2).mean()),
            }
            found = [
                ("position", "pm", _mean(np.hypot(part[..., 0], part[..., 1]).mean(1)), np.nan),
                ("position_drift", "pm", _mean(np.hypot(*still[:, inside].transpose(2, 0, 1)).mean(1)), np.nan),
                ("position_atoms", "pm", _mean(np.hypot(*placed[:, inside].transpose(2, 0, 1)).mean(1)), np.nan),
                ("scs", "%", _mean(np.abs(scs).mean((1, 2))), np.nan),
            ]
            for name, unit, spread in (("position", "pm", pooled(part[..., :2])), ("scs", "%", pooled(scs))):
                for key, ending in (("bias_rms", "bias"), ("std", "std"), ("rmse", "rmse")):
                    interval = [spread[key + bound] for bound in ("", "_low", "_high")]
                    found.append((f"{name}_{ending}", unit, interval, crlb[name]))
            for quantity, unit, interval, bound in found:
                row = dict(zip(CONDITION, condition, strict=True)) | {"region": region, "quantity": quantity}
                row |= dict(zip(("value", "low", "high"), interval, strict=True)) | {"crlb": bound, "unit": unit}
                left_out = int((np.isin(numbers, members) & ~measured).sum())
                rows.append(row | {"columns": int(inside.sum()), "left_out": left_out} | shares)
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    """Give the mean over realisations of a positive quantity, with its 95 % interval, symmetric in the logarithm."""
    mean = values.mean()
    one_out = (values.sum() - values) / (len(values) - 1)
    return float(mean), *map(float, np.exp(jackknife_interval(np.log(mean), np.log(one_out))))
