"""The blind route: detect and fit columns without knowing where they are, then match them one to one to the truth."""

import numpy as np
import pandas as pd

from emrestore.columns.detect import detect_columns, match
from emrestore.columns.table import ESTIMATES, fit_stack
from emrestore.errors import EmrestoreError
from emrestore.stats import jackknife_interval

#: Counts that :func:`match_stack` gives per image, besides ``status``.
COUNTS = ["found", "true", "matched", "left_out_found", "left_out_true", "not_finite", "not_converged", "on_bound"]


def fit_blind(
    images: np.ndarray,
    *,
    spacing: float | None = None,
    threshold: float = 0.1,
    estimator: str = "ls",
    width: str = "shared",
    background: str = "free",
) -> tuple[pd.DataFrame, pd.Series]:
    """Detect the columns of every image by itself, and fit them.

    Parameters
    ----------
    images
        (N, Y, X), finite; columns are bright.
    spacing, threshold
        As :func:`emrestore.columns.detect.detect_columns` takes them.
    estimator, width, background
        As :func:`emrestore.columns.table.fit_stack` takes them.

    Returns
    -------
    fits : DataFrame
        As of :func:`emrestore.columns.table.fit_stack`; ``column`` numbers the columns found in an image.
    status : Series
        For each image ``"fitted"``, or the sentence that says why it has no rows.

    Raises
    ------
    EmrestoreError
        If the images are not a stack.
    """
    if np.ndim(images) != 3:
        raise EmrestoreError(f"images must be (N, Y, X), not {np.shape(images)}.")
    tables, status = [], []
    for number, image in enumerate(images):
        try:
            start = detect_columns(image, spacing=spacing, threshold=threshold)
            fits = fit_stack(image[None], start, estimator, width, background)
        except EmrestoreError as error:  # one of an empty image, say: a result, not the end of the study
            status.append(str(error))
            continue
        tables.append(fits.assign(image=number))
        status.append("fitted")
    empty = pd.DataFrame({name: [] for name in ("image", "column", *ESTIMATES, "background", "converged")})
    index = pd.RangeIndex(len(images), name="image")
    return pd.concat(tables, ignore_index=True) if tables else empty, pd.Series(status, index, str, "status")


def match_stack(
    fits: pd.DataFrame, status: pd.Series, true: pd.DataFrame, shape: tuple[int, int], radius: float, border: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match the fitted columns of every image to the true ones.

    Parameters
    ----------
    fits, status
        What :func:`fit_blind` gave.
    true
        True ``x, y`` [px] and ``scs`` [unit of the fits], a row per column, the same in all images.
    shape
        (Y, X) of the images [px].
    radius
        Furthest that a fitted column may lie from its true one [px].
    border
        True columns nearer than this to the edge of the image [px] are not asked for: they, what matches them, and what
        matches nothing as near to the edge, are left out and counted.

    Returns
    -------
    pairs : DataFrame
        A row per matched column: ``image``, ``found`` and ``column`` (its number among fits and among true),
        ``x_error, y_error`` [px], ``scs_error`` [fraction of the true], ``converged``, ``on_bound``.
    scores : DataFrame
        A row per image, those without fits too: ``found, true, matched, precision, recall, f1`` of columns that count
        (as :func:`emrestore.columns.detect.match` defines them); ``left_out_found, left_out_true`` near the border;
        ``not_finite`` fits, which count as found and match nothing; ``not_converged, on_bound`` fits among the matched,
        which are part of all numbers; ``status``.
    """
    truth = true[["x", "y"]].to_numpy(float)
    asked = depth(truth, shape) >= border
    finite = np.isfinite(fits[["x", "y", "scs"]]).all(axis=1) if len(fits) else []
    groups = dict(list(fits.assign(finite=finite).groupby("image")))
    pairs, scores = [], []
    for image, state in status.items():
        columns = groups.get(image, fits.iloc[:0].assign(finite=[]))
        usable = columns[columns["finite"].astype(bool)]
        xy = usable[["x", "y"]].to_numpy(float)
        of_found, of_true = match(xy, truth, radius)["pairs"].T
        partner = np.full(len(xy), -1)
        partner[of_found] = of_true
        counts = np.where(partner >= 0, asked[partner], depth(xy, shape) >= border)
        kept = counts & (partner >= 0)
        rows, partners = usable[kept], partner[kept]
        lost = len(columns) - len(usable)
        found, matched = int(counts.sum()) + lost, int(kept.sum())
        pairs.append(
            pd.DataFrame(
                {
                    "image": image,
                    "found": rows["column"].to_numpy(int),
                    "column": partners,
                    "x_error": rows["x"].to_numpy() - truth[partners, 0],
                    "y_error": rows["y"].to_numpy() - truth[partners, 1],
                    "scs_error": rows["scs"].to_numpy() / true["scs"].to_numpy()[partners] - 1,
                    "converged": rows["converged"].to_numpy(bool),
                    "on_bound": rows["on_bound"].to_numpy(bool),
                }
            )
        )
        there = int(asked.sum())
        scores.append(
            {
                "image": image,
                "found": found,
                "true": there,
                "matched": matched,
                "precision": matched / found if found else 1.0,
                "recall": matched / there if there else 1.0,
                "f1": 2 * matched / (found + there) if found + there else 1.0,
                "left_out_found": len(usable) - int(counts.sum()),
                "left_out_true": len(true) - there,
                "not_finite": lost,
                "not_converged": int((~pairs[-1]["converged"]).sum()),
                "on_bound": int(pairs[-1]["on_bound"].sum()),
                "status": state,
            }
        )
    return pd.concat(pairs, ignore_index=True), pd.DataFrame(scores)


def pool(pairs: pd.DataFrame, scores: pd.DataFrame) -> dict[str, float]:
    """Pool the images of one condition, with intervals of 95 % by jackknife over images.

    Parameters
    ----------
    pairs, scores
        What :func:`match_stack` gave.

    Returns
    -------
    dict
        ``precision, recall, f1`` of all columns together; ``position``, the mean distance of a matched column from its
        true one [px], and ``scs``, the mean absolute error of its cross section [fraction], all with ``_low`` and
        ``_high``; :data:`COUNTS` summed; ``images``, and ``images_without`` any fit. A mean over nothing is NaN, and
        the counts say so; an interval is NaN where an image cannot be left out, as only it has such columns.
    """
    distance = np.hypot(pairs["x_error"], pairs["y_error"]).groupby(pairs["image"]).sum()
    scs = pairs["scs_error"].abs().groupby(pairs["image"]).sum()
    matched, found, true = (scores[name].to_numpy(float) for name in ("matched", "found", "true"))
    ratios = {
        "precision": (matched, found),
        "recall": (matched, true),
        "f1": (2 * matched, found + true),
        "position": (distance.reindex(scores["image"], fill_value=0).to_numpy(float), matched),
        "scs": (scs.reindex(scores["image"], fill_value=0).to_numpy(float), matched),
    }
    result = {}
    for name, (over, under) in ratios.items():
        with np.errstate(divide="ignore", invalid="ignore"):
            whole, one_out = over.sum() / under.sum(), (over.sum() - over) / (under.sum() - under)
            if name in ("position", "scs"):  # positive: symmetric in the logarithm
                low, high = np.exp(jackknife_interval(np.log(whole), np.log(one_out)))
            else:
                low, high = np.clip(jackknife_interval(whole, one_out), 0, 1)
        result |= {name: float(whole), f"{name}_low": float(low), f"{name}_high": float(high)}
    without = int((scores["status"] != "fitted").sum())
    return result | {key: int(scores[key].sum()) for key in COUNTS} | {"images": len(scores), "images_without": without}


def depth(xy: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Give the distance of points from the nearest edge of the outermost pixels [px]."""
    return np.minimum(xy + 0.5, np.array(shape[::-1]) - 0.5 - xy).min(axis=-1)
