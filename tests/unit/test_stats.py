import numpy as np
import pytest

from emrestore.rng import stream
from emrestore.stats import pooled, slope


def test_pooled_recovers_bias_and_std_of_normal_errors():
    # per-column offsets of std 0.5 around 2, noise of std 3: std of the pooled std is 3 / sqrt(2 n), n = 400 x 49
    rng = stream(1, "stats")
    offsets = 2 + 0.5 * rng.standard_normal((1, 49, 1))
    errors = offsets + 3 * rng.standard_normal((400, 49, 1))
    found = pooled(errors)
    assert abs(found["std"] - 3) < 4 * 3 / np.sqrt(2 * 400 * 48)
    assert abs(found["bias"] - offsets.mean()) < 4 * 3 / np.sqrt(400 * 49)
    assert found["rmse"] ** 2 == pytest.approx((errors**2).mean(), rel=1e-12)
    # the noise of a column's mean (3 / sqrt(400) = 0.15) is removed from bias_rms
    assert found["bias_rms"] == pytest.approx(np.sqrt((offsets**2).mean()), rel=0.02)


def test_intervals_cover_the_truth_even_when_columns_move_together():
    # half of the variance is common to all columns of a realisation; an interval that took columns as independent
    # would cover far less. Coverage over 400 repeats: binomial std 0.011 at 95 %, jackknife t-interval is slightly off
    rng = stream(1, "coverage")
    hits = 0
    for _ in range(400):
        errors = rng.standard_normal((20, 1, 1)) + rng.standard_normal((20, 36, 1))
        found = pooled(errors)
        hits += found["std_low"] <= np.sqrt(2) <= found["std_high"]
    assert 0.87 < hits / 400 < 0.99


def test_pooled_of_constant_errors_has_no_spread():
    found = pooled(np.full((5, 4, 2), 0.25))
    assert found["std"] == found["std_low"] == found["std_high"] == 0
    assert found["bias"] == found["rmse"] == 0.25


@pytest.mark.parametrize("errors", [np.zeros((2, 4, 1)), np.full((5, 4, 1), np.nan)])
def test_pooled_refuses(errors):
    with pytest.raises(ValueError, match="finite"):
        pooled(errors)


def test_slope_is_that_of_polyfit_and_covers_attenuation():
    rng = stream(1, "slope")
    x = rng.standard_normal((30, 40))
    y = 0.6 * x + 0.2 + 0.3 * rng.standard_normal(x.shape)
    found = slope(x, y)
    assert found["slope"] == pytest.approx(np.polyfit(x.ravel(), y.ravel(), 1)[0], rel=1e-9)
    assert found["slope_low"] < 0.6 < found["slope_high"]
