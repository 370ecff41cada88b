"""What survives and what is invented, in images and tables that are made by hand."""

import numpy as np
import pandas as pd
import pytest

from emrestore.errors import EmrestoreError
from emrestore.survival import amplitudes, phantoms, rate, survival_table

FEATURES = ["", "", "", "none", "displaced along x", "vacant column", "one atom of Z + 1", "interstitial column"]
SIZES = [0, 0, 0, 0, 0.2, 0, 0, 0]


def condition(kept: float, realisations: int = 4) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores of a method that keeps a share of every feature, moves each image as a whole, and scales it."""
    columns = pd.DataFrame({"feature": FEATURES, "size": SIZES, "perfect": [6] * 7 + [0]})
    clean = np.array([1.0, 1, 1, 1, 1, 0.01, 1.1, 0.5])
    displaced = np.array([0, 0, 0, 0, 20.0, 0, 0, 0])
    rows = []
    for realisation in range(realisations):
        shift, gain = 7.0 * realisation, 1 + 0.1 * realisation
        scs = gain * np.where(np.arange(8) == 7, kept * clean, 1 + kept * (clean - 1))
        frame = pd.DataFrame({"column": np.arange(8), "realisation": realisation, "scored": True})
        frame["ux"], frame["ux_clean"] = shift + kept * displaced, displaced
        frame["uy"], frame["uy_clean"] = -shift, 0.0
        frame["scs_clean"], frame["scs_error"] = clean, scs / clean - 1
        rows.append(frame)
    return pd.concat(rows, ignore_index=True), columns


@pytest.mark.parametrize("kept", [1.0, 0.7, 0.2])
def test_what_is_kept_is_measured(kept):
    rows = amplitudes(*condition(kept))
    table = survival_table(rows).set_index("feature")
    assert set(table.index) == {name for name in FEATURES if name not in ("", "none")}
    # gains of 1.0 to 1.3 scale what is measured of a cross section and not of a displacement
    assert table.loc["displaced along x", "amplitude"] == pytest.approx(kept)
    assert table.loc[["vacant column", "one atom of Z + 1"], "amplitude"].to_numpy() == pytest.approx(1.15 * kept)
    assert (table["survived"] == float(kept > 0.5)).all()
    assert (table["mistaken"].dropna() == 0).all()
    assert (table["left_out"] == 0).all()
    assert (table["survived_low"] <= table["survived"]).all()


def test_noise_that_looks_like_a_feature_is_counted():
    scores, columns = condition(1.0)
    scores.loc[(scores["column"] == 0), "ux"] += 20.0
    table = survival_table(amplitudes(scores, columns)).set_index("feature")
    # one of four plain columns, beyond half of 20 pm after their mean is off
    assert table.loc["displaced along x", "mistaken"] == 0.25
    assert table.loc["vacant column", "mistaken"] == 0


def test_failed_fits_are_counted():
    scores, columns = condition(1.0)
    scores.loc[(scores["column"] == 5) & (scores["realisation"] == 2), "scs_error"] = np.nan
    row = survival_table(amplitudes(scores, columns)).set_index("feature").loc["vacant column"]
    assert (row["n"], row["left_out"]) == (3, 1)


def spots(sigma: float, height: float) -> np.ndarray:
    y, x = np.mgrid[:80, :80]
    image = np.full((80, 80), 3.0)
    for place in ((20, 20), (60, 30), (40, 60)):
        image += height * np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / (2 * sigma**2))
    return image


def test_columns_are_counted_where_they_are_bright_and_of_their_width():
    sigma, everywhere = 2.4, np.ones((80, 80), bool)
    images = np.stack([spots(sigma, 5.0), spots(3 * sigma, 5.0), spots(0.4 * sigma, 5.0), np.full((80, 80), 3.0)])
    volume = 2 * np.pi * sigma**2 * 5.0
    assert phantoms(images, sigma, 0.9 * volume, everywhere).tolist() == [3, 0, 0, 0]
    assert phantoms(images[:1], sigma, 1.1 * volume, everywhere).tolist() == [0]
    left = everywhere.copy()
    left[:, 50:] = False
    assert phantoms(images[:1], sigma, 0.9 * volume, left).tolist() == [2]
    with pytest.raises(EmrestoreError, match="region"):
        phantoms(images, sigma, volume, everywhere[1:])


def test_white_noise_seldom_looks_like_a_column():
    """Correlation of a 13 x 13 window of white noise with any template scatters by 1/13; 0.9 is 11 deviations."""
    noise = np.random.default_rng(1).poisson(50, (4, 80, 80))
    assert phantoms(noise, 2.4, 0.0, np.ones((80, 80), bool)).sum() == 0


def test_rates():
    found = rate(np.array([2, 1, 0, 1]), 50.0)
    # exact interval of 4 events: 1.090 to 10.242
    assert found["rate"] == 0.02
    assert [found["rate_low"] * 200, found["rate_high"] * 200] == pytest.approx([1.0899, 10.2416], abs=1e-3)
    assert rate(np.zeros(4), 50.0)["rate_high"] * 200 == pytest.approx(3.6889, abs=1e-3)
