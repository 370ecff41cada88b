import numpy as np
import pytest
import xarray as xr

from emrestore.averaging import bias_map, circle_about, error_of_mean, inner_pixels
from emrestore.errors import EmrestoreError
from emrestore.rng import stream

PIXELS = 4000


def errors(bias, std, realisations=12):
    """Errors of so many realisations: a map of biases of this root mean square, and noise."""
    rng = stream(5, "test_averaging", bias, std, realisations)
    fixed = rng.standard_normal(PIXELS)
    fixed *= bias / np.sqrt((fixed**2).mean())
    return fixed + std * rng.standard_normal((realisations, PIXELS))


def test_bias_and_variance_are_told_apart():
    found = error_of_mean(errors(0.5, 2.0))
    bias, one = found.iloc[-1], found.iloc[0]
    # a mean over 66 pairs and 4000 pixels of products of variance 4 b² s² / 12 (bias with noise) and s⁴ / 66 (noise
    # with noise): standard error sqrt((4 x 0.25 x 4 / 12 + 16 / 66) / 4000) = 0.012
    assert bias["mse"] == pytest.approx(0.25, abs=4 * 0.012)
    # variances of 48000 draws: 2 s⁴ / 48000, and cross terms as above
    assert one["mse"] == pytest.approx(4.25, abs=4 * np.sqrt(32 / 48000 + 0.33 / 4000))
    assert one["share"] == pytest.approx(0.25 / 4.25, abs=0.015)
    assert bias["mse_low"] < 0.25 < bias["mse_high"]
    assert bias["mse_high"] - bias["mse_low"] < 8 * 0.012
    assert np.isinf(bias["images"])
    assert bias["share"] == 1
    np.testing.assert_allclose(found["mse"][:-1], 0.25 + 4 / found["images"][:-1], atol=0.08)


def test_the_curve_is_the_mean_over_all_subsets_to_rounding():
    some = errors(0.5, 2.0, 4)
    found = error_of_mean(some)
    pairs = [((some[i] + some[j]) / 2) ** 2 for i in range(4) for j in range(i)]
    np.testing.assert_allclose(found["mse"][1], np.mean(pairs), rtol=1e-12)
    np.testing.assert_allclose(found["mse"][3], (some.mean(axis=0) ** 2).mean(), rtol=1e-12)


def test_without_bias_there_is_none_and_intervals_say_so():
    # for noise alone the jackknife's variance is 2 x 7 / 6 = 2.3 times the true one, so that an interval of 95 % is
    # ± 2.36 x 1.53 = 3.6 standard deviations wide, and misses in less than 1 % of 200 repeats even as its width varies;
    # five misses are three more than that
    rng = stream(5, "test_averaging", "coverage")
    found = [error_of_mean(rng.standard_normal((8, 60))).iloc[-1] for _ in range(200)]
    covered = sum(row["mse_low"] <= 0 <= row["mse_high"] for row in found)
    assert covered >= 195
    values = np.array([row["mse"] for row in found])
    assert values.min() < 0 < values.max()
    # standard deviation of one: sqrt(1 / 28 / 60) = 0.024
    assert abs(values.mean()) < 4 * 0.024 / np.sqrt(200)


def test_the_map_shows_bias_with_its_standard_error():
    some = errors(0.5, 2.0)
    bias, error = bias_map(some)
    np.testing.assert_allclose(bias, some.mean(0))
    # root mean square of 2 / sqrt(12), of variances with 11 x 4000 degrees of freedom
    assert np.sqrt((error**2).mean()) == pytest.approx(2 / 12**0.5, rel=4 / np.sqrt(2 * 44000))
    # squares of the map carry V / R: the U-statistic does not
    assert (bias**2).mean() == pytest.approx(error_of_mean(some).iloc[-1]["mse"] + (error**2).mean(), rel=1e-9)


def test_where_there_is_bias_its_interval_covers_it():
    # 200 repeats at 95 %: 190 are expected, with a binomial standard deviation of 3; four of these
    rng = stream(5, "test_averaging", "biased")
    fixed = np.where(np.arange(60) % 2, 1.0, -1.0)
    found = [error_of_mean(fixed + rng.standard_normal((8, 60))).iloc[-1] for _ in range(200)]
    covered = sum(row["mse_low"] <= 1 <= row["mse_high"] for row in found)
    assert abs(covered - 190) <= 4 * 3


@pytest.mark.parametrize("bad", [np.zeros((2, 5)), np.full((4, 5), np.nan)])
def test_what_tells_nothing_is_refused(bad):
    with pytest.raises(EmrestoreError):
        error_of_mean(bad)


def test_regions_are_where_columns_are_scored():
    geometry = xr.Dataset(
        {"clean": (("y", "x"), np.zeros((8, 10))), "x_site": ("column", [3.0, 5.0]), "y_site": ("column", [4.0, 4.0])},
        attrs={"pitch": 2.0, "pixel_size": 0.25},
    )
    inside = inner_pixels(geometry, 1.0)
    # centres 2 px or more from edges at -0.5: pixels 2 to 5 and 2 to 7
    assert inside.sum() == 4 * 6
    assert inside[2:6, 2:8].all()
    centre, radius = circle_about(geometry, np.array([0, 1]))
    np.testing.assert_allclose(centre, (4, 4))
    assert radius == 1 + 2
