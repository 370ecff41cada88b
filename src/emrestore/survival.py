"""What restoration erases and what it invents: features that survive, and columns where there is none."""

import numpy as np
import pandas as pd
from scipy.ndimage import maximum_filter, uniform_filter
from scipy.stats import binomtest, chi2
from skimage.feature import match_template

from emrestore.errors import EmrestoreError
from emrestore.metrics import errors_of
from emrestore.stats import jackknife_interval

#: A feature has survived where more than this of it is measured: nearer to itself than to the perfect lattice.
HALF = 0.5
#: Correlation with a column's image above which a spot looks like a column.
LIKENESS = 0.9
#: Half width of the window of that correlation, in widths of the column.
WINDOW = 2.5


def amplitudes(scores: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Measure every feature of a crystal in units of what the clean image shows of it: 1 is faithful, 0 is erased.

    A displaced column is measured by its displacement off the site, after the mean displacement of the plain columns of
    the same image is taken away. What a column holds is measured by its cross section, less the median of the plain
    columns of the same image, in which a crystal of whole columns would have 0; an interstitial by its cross section.

    Parameters
    ----------
    scores
        Rows of one condition of :func:`emrestore.metrics.column_errors`: every column in every realisation.
    columns
        ``feature, size, perfect`` of :func:`emrestore.specimen.features.featured_crystal`, a row per column of scores.

    Returns
    -------
    DataFrame
        A row per feature, its column and realisation: ``feature, size, column, realisation, amplitude``; and for each
        plain column a row of ``plain`` True, with the amplitude of that feature which noise shows there. Fits that are
        not finite give NaN.
    """
    names = ["ux", "uy", "ux_clean", "uy_clean", "scs_error", "scs_clean"]
    # (realisations, columns)
    ux, uy, ux_clean, uy_clean, error, clean = np.moveaxis(errors_of(scores, names), -1, 0)
    with np.errstate(invalid="ignore"):
        scs = clean * (1 + error)
    feature, size = columns["feature"].to_numpy(), columns["size"].to_numpy()
    # what has no name, and the column that was named to be without a feature
    plain = np.isin(feature, ["", "none"]) & (columns["perfect"] > 0).to_numpy()
    scored = scores.sort_values(["realisation", "column"])["scored"].to_numpy()[: len(feature)]
    plain &= scored

    def less(values: np.ndarray, centre: str) -> np.ndarray:
        """Take off what plain columns of the same image show."""
        middle = np.nanmean if centre == "mean" else np.nanmedian
        return values - middle(values[:, plain], axis=1, keepdims=True)

    shown = {"x": (less(ux, "mean"), less(ux_clean, "mean")), "y": (less(uy, "mean"), less(uy_clean, "mean"))}
    shown["content"] = (less(scs, "median"), less(clean, "median"))
    shown["interstitial"] = (scs, clean)
    frames = []
    named = pd.DataFrame({"feature": feature, "size": size}).drop_duplicates()
    for name, extent in named[~named["feature"].isin(["", "none"])].itertuples(index=False):
        kind = name[-1] if name.startswith("displaced") else "content"
        measured, true = shown["interstitial" if name == "interstitial column" else kind]
        there = np.flatnonzero((feature == name) & (size == extent))
        unit = true[:, there].mean()
        parts = [(there, False)]
        if name != "interstitial column":
            parts.append((np.flatnonzero(plain), True))
        for where, is_plain in parts:
            realisation, place = np.indices((len(measured), len(where)))
            # each feature in units of itself, noise in units of their mean
            scale = unit if is_plain else true[:, where]
            frame = {
                "feature": name,
                "size": extent,
                "column": where[place].ravel(),
                "realisation": realisation.ravel(),
            }
            frames.append(pd.DataFrame(frame | {"amplitude": (measured[:, where] / scale).ravel(), "plain": is_plain}))
    return pd.concat(frames, ignore_index=True)


def survival_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Tabulate how often each feature survives, how much of it does, and how often noise shows as much without it.

    Parameters
    ----------
    rows
        What :func:`amplitudes` gave.

    Returns
    -------
    DataFrame
        Per feature and size: ``survived``, share of amplitudes above :data:`HALF` with an exact (Clopper-Pearson)
        interval of 95 %; ``amplitude``, their mean, jackknifed over realisations; ``mistaken``, share
        of plain columns above the same limit; ``n`` and ``left_out``, measurements that count and that are not finite.
    """
    found = []
    for (feature, size), group in rows.groupby(["feature", "size"]):
        own = group[~group["plain"]]
        valid = own[np.isfinite(own["amplitude"])]
        row = {"feature": feature, "size": size, "n": len(valid), "left_out": len(own) - len(valid)}
        row |= _share((valid["amplitude"] > HALF).to_numpy(), "survived")
        means = valid.groupby("realisation")["amplitude"].agg(["sum", "count"])
        total = means.sum()
        whole = total["sum"] / max(total["count"], 1)
        if len(means) > 2:
            one_out = ((total["sum"] - means["sum"]) / (total["count"] - means["count"])).to_numpy()
            low, high = jackknife_interval(whole, one_out)
        else:
            low = high = np.nan
        row |= {"amplitude": whole, "amplitude_low": low, "amplitude_high": high}
        noise = group[group["plain"]]["amplitude"].dropna()
        row["mistaken"] = float((noise > HALF).mean()) if len(noise) else np.nan
        found.append(row)
    return pd.DataFrame(found)


def phantoms(images: np.ndarray, sigma: float, volume: float, region: np.ndarray) -> np.ndarray:
    """Count spots that look like columns where there is none.

    Parameters
    ----------
    images
        (N, Y, X) electrons per pixel.
    sigma
        Width of a column's image [px].
    volume
        Electrons of the faintest spot that counts: half an atom's, say.
    region
        (Y, X) bool, where no column is.

    Returns
    -------
    ndarray
        (N,) local maxima of the fitted height of a Gaussian of that width, on any level background, of at least the
        volume, and with a correlation of at least :data:`LIKENESS` over 2.5 sigma around: noise of single pixels does
        not look like a column.

    Raises
    ------
    EmrestoreError
        If the region is not an image of the same shape.
    """
    if region.shape != images.shape[1:]:
        raise EmrestoreError(f"the region must be {images.shape[1:]} like the images, not {region.shape}")
    reach = int(np.ceil(WINDOW * sigma))
    line = np.arange(-reach, reach + 1)
    template = np.exp(-(line**2 + line[:, None] ** 2) / (2 * sigma**2))
    counts = np.zeros(len(images), int)
    for number, image in enumerate(images.astype(np.float64)):
        if np.ptp(image) == 0:
            continue
        likeness = match_template(image, template, pad_input=True, mode="reflect")
        mean = uniform_filter(image, len(line), mode="mirror")
        spread = np.sqrt(np.maximum(uniform_filter(image**2, len(line), mode="mirror") - mean**2, 0))
        height = likeness * spread / template.std()
        peak = (height == maximum_filter(height, len(line))) & region
        counts[number] = (peak & (likeness >= LIKENESS) & (2 * np.pi * sigma**2 * height >= volume)).sum()
    return counts


def rate(counts: np.ndarray, area: float) -> dict[str, float]:
    """Give a rate per area of all images together, with an exact Poisson interval of 95 % (Garwood 1936).

    Parameters
    ----------
    counts
        (N,) of images with ``area`` each.
    """
    total, everything = int(np.sum(counts)), area * len(counts)
    low = chi2.ppf(0.025, 2 * total) / 2 if total else 0.0
    high = chi2.ppf(0.975, 2 * total + 2) / 2
    return {"rate": total / everything, "rate_low": low / everything, "rate_high": high / everything, "found": total}


def _share(hits: np.ndarray, name: str) -> dict[str, float]:
    """Give the share of hits and its exact interval."""
    if not len(hits):
        return {name: np.nan, f"{name}_low": np.nan, f"{name}_high": np.nan}
    found = binomtest(int(hits.sum()), len(hits)).proportion_ci(0.95)
    return {name: float(hits.mean()), f"{name}_low": found.low, f"{name}_high": found.high}
