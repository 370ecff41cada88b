import numpy as np
import pytest
from scipy.integrate import quad

from emrestore.errors import EmrestoreError
from emrestore.restore.confidence import ause, column_spread, ranking
from emrestore.rng import stream

START = np.stack(np.meshgrid(np.arange(6.0, 46, 9), np.arange(5.0, 40, 9)), axis=-1).reshape(-1, 2)
SIGMA = 2.0


def image(electrons):
    """20 columns of so many electrons each, without background."""
    rows, lines = np.mgrid[:38, :48]
    columns = np.exp(-((rows[..., None] - START[:, 1]) ** 2 + (lines[..., None] - START[:, 0]) ** 2) / (2 * SIGMA**2))
    return electrons / (2 * np.pi * SIGMA**2) * columns.sum(-1)


def spread(counts, restore=lambda images: images, **settings):
    rng = stream(4, "test_confidence", "spread")
    return column_spread(counts, START, restore, rng, background=0.0, **settings)


@pytest.mark.parametrize("unit", [None, 30.0])
def test_spread_is_the_standard_deviation_of_an_unrestored_fit(unit):
    counts = stream(4, "test_confidence", "counts").poisson(image(1000.0)).astype(float)
    if unit is None:
        table = spread(counts, copies=16)
    else:  # the best of restorations; the gain of the noise is the unit of an electron
        table = spread(
            unit * counts,
            lambda images: unit * image(1000.0)[None] if len(images) == 1 else images,
            copies=16,
            counted=False,
        )
    rms = np.sqrt((table[["x_spread", "y_spread"]] ** 2).to_numpy().mean())
    # least squares without background: 4/3 sigma / sqrt(electrons); 40 variances of 15 degrees of freedom each, so five
    # standard errors of the root are 5 / sqrt(2 x 600); counts vary by 3 % from column to column
    assert rms == pytest.approx(4 / 3 * SIGMA / 1000**0.5, rel=5 / 1200**0.5 + 0.03)
    assert (table["copies"] == 16).all()


def test_upside_down_shows_a_restoration_that_moves_columns_down_but_never_one_along_the_scan():
    counts = np.round(image(1e7))
    down = spread(counts, lambda images: np.roll(images, 1, axis=-2))
    along = spread(counts, lambda images: np.roll(images, 1, axis=-1))
    # four times +1, four times -1: standard deviation sqrt(8 / 7); columns spread by 4/3 x 2 / sqrt(1e7) = 0.0008 and
    # their truncated edges wrap, by less than 1e-2
    np.testing.assert_allclose(down["y_spread"], (8 / 7) ** 0.5, atol=0.02)
    assert max(down["x_spread"].max(), along["x_spread"].max(), along["y_spread"].max()) < 0.02


def test_what_cannot_be_perturbed_is_refused():
    counts = np.round(image(1e3))
    for bad, settings in (
        (counts + 0.5, {}),
        (counts, {"copies": 3}),
        (counts * np.nan, {}),
        (counts * 0, {"counted": False}),
    ):
        with pytest.raises(EmrestoreError):
            spread(bad, **settings)


def test_oracle_has_no_area_and_order_is_all_that_matters():
    errors = stream(4, "test_confidence", "oracle").exponential(size=50)
    assert ause(errors, errors) == pytest.approx(0, abs=1e-12)
    assert ause(errors, errors**3) == pytest.approx(0, abs=1e-12)
    assert ause(np.zeros(5), np.arange(5)) == 0
    # by hand: remaining means with the better column first away: (3 + 1) / 2, 3; oracle: 2, 1; over the mean of 2
    assert ause(np.array([3.0, 1.0]), np.array([0.0, 1.0])) == pytest.approx((0 + 2) / 2 / 2)
    assert ause(np.array([3.0, 1.0]), np.array([1.0, 1.0])) == pytest.approx((0 + 1) / 2 / 2)


def test_scores_are_those_of_theory():
    g = stream(4, "test_confidence", "theory")
    spreads = g.uniform(size=(20, 500))
    errors = spreads * g.uniform(size=(20, 500)) * g.choice([-1, 1], (20, 500))
    found = ranking(errors, spreads)
    # error u v of a spread u, both uniform: taking away the widest leaves the mean 1 - f, area 1/2; the oracle's is the
    # integral of L / F dF with F = t (1 - ln t) and the Lorenz curve L = t² (1 - 2 ln t); the rank correlation is
    # 12 E[u F(u v)] - 3 = 2/3; root mean square error over spread is sqrt(1/3)
    oracle = quad(lambda t: -np.log(t) * t * (1 - 2 * np.log(t)) / (1 - np.log(t)), 0, 1)[0]
    expected = {"ause": 0.5 - oracle, "spearman": 2 / 3, "ratio": 3**-0.5}
    # statistics of 10000 pairs have standard errors of at most 1 / sqrt(10000) each
    assert {key: found[key] for key in expected} == pytest.approx(expected, abs=0.04)
    assert found["ause_random"] == pytest.approx(1 - oracle, abs=0.04)
    for name in expected:
        assert found[f"{name}_low"] < found[name] < found[f"{name}_high"]
        assert found[f"{name}_high"] - found[f"{name}_low"] < 0.08
    blind = ranking(errors, g.permuted(spreads.ravel()).reshape(spreads.shape))
    assert blind["ause"] == pytest.approx(blind["ause_random"], abs=0.04)
    assert blind["spearman"] == pytest.approx(0, abs=0.04)


def test_what_is_not_finite_is_left_out_and_counted():
    errors = np.arange(12.0).reshape(3, 4)
    spreads = 2 * errors
    spreads[0, 3] = errors[1, 0] = np.nan
    found = ranking(errors, spreads)
    assert (found["n"], found["left_out"]) == (10, 2)
    assert (found["ause"], found["spearman"], found["ratio"]) == pytest.approx((0, 1, 0.5))
