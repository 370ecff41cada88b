"""What was drawn for clean images, as rows, beside what it was drawn from; and the images' spectra."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

#: Quantity with its unit: what an image's parameters say of it (None where it does not occur), and its range's key.
QUANTITIES: dict[str, tuple[Callable[[dict], float | None], str]] = {
    "pixel size [Å]": (lambda d: d["pixel_size"], "pixel_size"),
    "space group": (lambda d: d.get("specimen", {}).get("group"), "crystal/group"),
    "lattice parameter a [Å]": (lambda d: d.get("specimen", {}).get("cell", [None])[0], "crystal/length"),
    "smallest distance [Å]": (
        lambda d: d["specimen"]["distance"] if d["kind"] == "crystalline" else None,
        "crystal/distance",
    ),
    "density of glass [g/cm³]": (lambda d: d.get("specimen", {}).get("density"), "amorphous/density"),
    "mistilt [degrees]": (lambda d: _mistilt(d.get("specimen", {})), "orientation/mistilt"),
    "wedge angle [degrees]": (lambda d: _wedge(d.get("specimen", {})), "wedge/angle"),
    "share of defects": (lambda d: _inner(d.get("specimen", {}), "defects", "share"), "defects/share"),
    "support thickness [Å]": (lambda d: _inner(d, "support", "thickness"), "support/thickness"),
    "exponent α": (lambda d: _inner(d, "profiles", "exponent"), "profiles/exponent"),
    "power β": (lambda d: d["intensity"]["power"] if d["intensity"]["power"] != 1 else None, "intensity/power"),
}
#: How a quantity is drawn from its range, where not uniformly.
LOGARITHMIC = ("pixel_size", "crystal/length", "crystal/distance")
HALF_NORMAL = ("orientation/mistilt",)
#: Drawn before it is known whether the specimen can be placed, which not all values make equally likely.
SELECTED = ("crystal/group", "crystal/length", "crystal/distance", "amorphous/density")
#: Frequencies of radial spectra, over Nyquist's.
FREQUENCIES = np.linspace(0, 1, 33)


def _inner(drawn: Mapping, part: str, name: str) -> float | None:
    return (drawn.get(part) or {}).get(name)


def _mistilt(specimen: Mapping) -> float | None:
    lie = specimen.get("orientation") or {}
    return lie["tilt"] if lie.get("zone") else None


def _wedge(specimen: Mapping) -> float | None:
    cut = specimen.get("wedge") or {}
    return cut.get("top") or cut.get("bottom")


def rows(drawn: list[dict]) -> pd.DataFrame:
    """Give ``image, quantity, value``, one row for each quantity that an image has."""
    return pd.DataFrame(
        [
            (number, name, value)
            for name, (read, _) in QUANTITIES.items()
            for number, one in enumerate(drawn)
            if (value := read(one)) is not None
        ],
        columns=["image", "quantity", "value"],
    )


def distribution(key: str, limits) -> stats.rv_continuous:
    """Give the distribution that a key's value stands for.

    Parameters
    ----------
    key
        Of the section ``generator``.
    limits
        Its range, or a standard deviation, or the greatest value of a range from zero.
    """
    if key in HALF_NORMAL:
        return stats.halfnorm(scale=limits)
    low, high = limits if isinstance(limits, list) else (0, limits)
    return stats.loguniform(low, high) if key in LOGARITHMIC else stats.uniform(low, high - low)


def summarise(values: pd.DataFrame, ranges: Mapping) -> pd.DataFrame:
    """Hold what was drawn against its ranges, one row for each quantity.

    Parameters
    ----------
    values
        Of :func:`rows`.
    ranges
        Key of the section ``generator`` -> its value, for all keys of :data:`QUANTITIES`.

    Returns
    -------
    DataFrame
        ``quantity, key, images, least, mean, greatest, expected_mean, p_value, selected``. The p-value is that of
        Kolmogorov and Smirnov's test; there is none where values were selected.
    """
    found = []
    for name, (_, key) in QUANTITIES.items():
        some = values.loc[values["quantity"] == name, "value"].to_numpy(float)
        expected = distribution(key, ranges[key])
        selected = key in SELECTED
        p_value = np.nan if selected or not len(some) else stats.kstest(some, expected.cdf).pvalue
        least, mean, greatest = (some.min(), some.mean(), some.max()) if len(some) else [np.nan] * 3
        found.append((name, key, len(some), least, mean, greatest, expected.mean(), p_value, selected))
    columns = ["quantity", "key", "images", "least", "mean", "greatest", "expected_mean", "p_value", "selected"]
    return pd.DataFrame(found, columns=columns)


def radial_spectrum(images: np.ndarray) -> np.ndarray:
    """Give the power spectra of images about their means, averaged over rings.

    Parameters
    ----------
    images
        (n, Y, X).

    Returns
    -------
    ndarray
        (n, len(FREQUENCIES) - 1) mean power in rings between the frequencies, as a share of the images' variance per
        Fourier coefficient: one everywhere for white noise. A Hann window keeps borders out.
    """
    window = np.hanning(images.shape[1])[:, None] * np.hanning(images.shape[2])
    centred = (images - images.mean((1, 2), keepdims=True)) * window
    power = np.abs(np.fft.fft2(centred)) ** 2 / (centred**2).sum((1, 2), keepdims=True)
    frequency = 2 * np.hypot(np.fft.fftfreq(images.shape[1])[:, None], np.fft.fftfreq(images.shape[2]))
    ring = np.digitize(frequency, FREQUENCIES).ravel() - 1
    inside = ring < len(FREQUENCIES) - 1
    count = np.bincount(ring[inside], minlength=len(FREQUENCIES) - 1)
    sums = [np.bincount(ring[inside], one.ravel()[inside], minlength=len(count)) for one in power]
    return np.array(sums) / count
