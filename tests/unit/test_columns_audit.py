"""Bounds against estimators that attain them, errors and slopes against what was put in."""

import numpy as np
import pytest
import torch

from emrestore.columns.audit import (
    biased_bound,
    decompose,
    displacement_slope,
    fisher_matrix,
    measured_biased_bound,
    van_trees,
    without_drift,
)
from emrestore.columns.crlb import bounds
from emrestore.columns.fit import fit_images
from emrestore.columns.model import render
from emrestore.errors import EmrestoreError
from emrestore.rng import stream
from emrestore.stats import pooled, slope

# A linear model, data = DESIGN θ + noise of std NOISE, whose Fisher matrix is known, in units decades apart
NOISE = 0.7
DESIGN = stream(1, "test_columns_audit", "design").standard_normal((12, 3)) * [1.0, 30.0, 1e-3]
FISHER = DESIGN.T @ DESIGN / NOISE**2
INVERSE = np.linalg.inv(FISHER)


def test_a_linear_shrinkage_estimator_attains_the_biased_bound():
    # the estimate L data has mean L DESIGN θ and covariance NOISE² L Lᵀ; with L = S (maximum likelihood), an identity
    shrinkage = np.array([[0.5, 0.1, 0.0], [0.0, 0.8, 50.0]])
    linear = shrinkage @ INVERSE @ DESIGN.T / NOISE**2
    covariance = NOISE**2 * linear @ linear.T
    assert biased_bound(FISHER, linear @ DESIGN) == pytest.approx(covariance, rel=1e-9)
    assert biased_bound(FISHER, np.eye(3)) == pytest.approx(INVERSE, rel=1e-9)


def test_a_linear_estimator_that_wastes_data_stays_above_the_biased_bound():
    half = np.linalg.pinv(DESIGN[:6]) @ np.eye(6, 12)
    excess = NOISE**2 * np.diag(half @ half.T) - np.diag(biased_bound(FISHER, half @ DESIGN))
    assert (excess > 0).all()


def test_parameters_left_out_only_lower_the_biased_bound():
    gradient = np.array([[0.6, 0.2, 3.0]])
    assert biased_bound(FISHER[:2, :2], gradient[:, :2]) < biased_bound(FISHER, gradient)


def test_the_posterior_mean_attains_van_trees():
    # mean squared error over prior and noise: (L A - 1) P (L A - 1)ᵀ + NOISE² L Lᵀ, exact for a linear estimator
    width = np.array([0.2, 0.02, 300.0])
    prior = np.diag(width**2)
    linear = np.linalg.solve(FISHER + np.diag(width**-2.0), DESIGN.T / NOISE**2)
    off = linear @ DESIGN - np.eye(3)
    error = off @ prior @ off.T + NOISE**2 * linear @ linear.T
    bound = van_trees(FISHER, width)
    # elements differ by decades: compare as correlations
    scale = np.sqrt(np.outer(np.diag(bound), np.diag(bound)))
    assert bound / scale == pytest.approx(error / scale, abs=1e-9)
    assert (np.diag(bound) < np.minimum(np.diag(INVERSE), width**2)).all()


def test_van_trees_without_prior_is_the_bound_of_the_mean_information():
    assert van_trees(FISHER, np.inf) == pytest.approx(INVERSE, rel=1e-9)
    assert van_trees([FISHER, 3 * FISHER], np.inf) == pytest.approx(INVERSE / 2, rel=1e-9)


def test_a_noisy_gradient_does_not_raise_the_measured_bound():
    # noise of std 2 on gradients of 0.5: squares alone would give a variance of (0.5² + 2²/R) x 2 inverse informations
    rng = stream(1, "test_columns_audit", "gradient")
    fisher, step, runs, n = np.diag([4.0, 1.0]), 0.1, 800, 10
    gradient = np.array([[0.5, 0.5]])
    quotients = gradient + 2 * rng.standard_normal((runs, n, 1, 2))
    found = [measured_biased_bound(fisher, step * each, -step * each, step) for each in quotients]
    # the roots are cut at zero, so the squares are checked from the gradients and standard errors, which are not
    squares = [((f["gradient"] ** 2 - f["gradient_se"] ** 2) @ [1 / 4, 1.0])[0] for f in found]
    assert abs(np.mean(squares) - 0.25 * 1.25) < 4 * np.std(squares) / np.sqrt(runs)
    # with a diagonal Fisher matrix the product over pairs is the square less its standard error
    assert [f["std"][0] for f in found] == pytest.approx(np.sqrt(np.maximum(squares, 0)), abs=1e-9)


def test_the_interval_of_the_measured_bound_leaves_one_realisation_out():
    rng = stream(1, "test_columns_audit", "jackknife")
    quotients = np.array([[0.6, 0.2, 5.0]]) + 0.05 * rng.standard_normal((6, 2, 3)) * [1, 1, 100]
    found = measured_biased_bound(FISHER, quotients, -quotients, 1.0)

    def variance(q):
        n = len(q)
        every = np.einsum("rdi,ij,sdj->drs", q, INVERSE, q)
        return (every.sum((1, 2)) - np.trace(every, axis1=1, axis2=2)) / (n * (n - 1))

    one_out = np.stack([variance(np.delete(quotients, r, axis=0)) for r in range(6)])
    half = 2.570582 * np.sqrt(5 / 6 * ((one_out - one_out.mean(0)) ** 2).sum(0))  # t(5) at 97.5 %
    assert found["std"] ** 2 == pytest.approx(variance(quotients), rel=1e-9)
    assert found["std_high"] ** 2 == pytest.approx(variance(quotients) + half, rel=1e-5)
    assert found["std_low"] ** 2 == pytest.approx(np.maximum(variance(quotients) - half, 0), rel=1e-5)


# Five columns that touch, not in the order of the chain
X, Y = np.array([20.0, 6.0, 13.2, 6.5, 19.8]), np.array([7.0, 6.4, 13.0, 19.0, 19.3])
HEIGHT, SIGMA, BACKGROUND, SHAPE = np.array([9.0, 12.0, 6.0, 10.0, 15.0]), 2.4, 0.8, (26, 27)


def columns(x=X, y=Y):
    column = torch.tensor(np.stack([HEIGHT, x, y], -1))[None]
    return render(column, torch.tensor([[BACKGROUND, SIGMA]], dtype=torch.float64), SHAPE)[0].numpy()


def test_the_fisher_matrix_is_that_of_the_model():
    # against central differences of the image, whose relative error is (10⁻⁴)² times third derivatives
    start = np.concatenate([np.stack([HEIGHT, X, Y], -1).ravel(), [BACKGROUND, SIGMA]])

    def image(parameters):
        column = torch.tensor(parameters[:-2].reshape(1, -1, 3))
        return render(column, torch.tensor(parameters[None, -2:]), SHAPE).numpy().ravel()

    slopes = [(image(start + step) - image(start - step)) / 2e-4 for step in 1e-4 * np.eye(len(start))]
    expected = np.array(slopes) / image(start) @ np.transpose(slopes)
    found = fisher_matrix(SHAPE, X, Y, HEIGHT, SIGMA, BACKGROUND)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # columns 19 px apart, over 6 σ, are left to windows of 6 σ (emrestore.columns.model): 2e-8
    assert found / scale == pytest.approx(expected / scale, abs=1e-7)


@pytest.mark.parametrize(("width", "free"), [("shared", True), ("shared", False), ("column", True), ("fixed", True)])
def test_the_fisher_matrix_gives_the_bounds(width, free):
    settings = {"width": width, "free_background": free}
    fisher = fisher_matrix(SHAPE, X, Y, HEIGHT, SIGMA, BACKGROUND, **settings)
    bound = bounds(SHAPE, X, Y, HEIGHT, SIGMA, BACKGROUND, **settings)
    parameters = 4 if width == "column" else 3
    assert len(fisher) == 5 * parameters + free + (width == "shared")
    error = np.sqrt(np.diag(biased_bound(fisher, np.eye(len(fisher)))))[: 5 * parameters].reshape(5, -1)
    for place, name in enumerate(["height", "x", "y"]):
        assert error[:, place] == pytest.approx(getattr(bound, name)[0].numpy(), rel=1e-6), name


def test_shrunken_positions_of_neighbours_meet_the_bound_measured_on_displaced_columns():
    # x of the first column: half its own fit and a fifth of a neighbour's. Its bound is (0.5, 0.2) F⁻¹ (0.5, 0.2)ᵀ,
    # 0.094 px, which maximum likelihood attains within its bias of higher order (3 %, test_crlb); 400 images leave
    # 1 / √800 = 3.5 % on the standard deviation. 100 images displaced by 0.5 px either way give each element of the
    # gradient to 0.094 √2 / (2 x 0.5 √100) = 0.013, and the root of the bound to 0.013 / 0.54 = 2.5 %
    rng = stream(1, "test_columns_audit", "counts")
    step, images, few = 0.5, 400, 100
    moved = [columns(X + sign * step * np.eye(5)[k]) for k in (0, 1) for sign in (1, -1)]
    counts = [rng.poisson(columns(), (images, *SHAPE))] + [rng.poisson(mu, (few, *SHAPE)) for mu in moved]
    fit = fit_images(np.concatenate(counts).astype(float), np.stack([X, Y], -1), estimator="ml", sigma=SIGMA)
    x = fit.x.numpy()
    estimate, displaced = np.split(0.5 * x[:, 0] + 0.2 * x[:, 1], [images])
    plus, minus = displaced.reshape(2, 2, few).transpose(1, 2, 0)[:, :, None]
    keep = [1, 4]  # x of the first and of the second column
    inverse = np.linalg.inv(fisher_matrix(SHAPE, X, Y, HEIGHT, SIGMA, BACKGROUND))
    found = measured_biased_bound(np.linalg.inv(inverse[np.ix_(keep, keep)]), plus, minus, step)
    assert (np.abs(found["gradient"] - [0.5, 0.2]) < 4 * found["gradient_se"]).all()
    exact = np.sqrt(np.array([0.5, 0.2]) @ inverse[np.ix_(keep, keep)] @ [0.5, 0.2])
    assert found["std"] == pytest.approx(exact, rel=4 * 0.025)
    assert found["std_low"] < exact < found["std_high"]
    assert estimate.std(ddof=1) == pytest.approx(exact, rel=0.03 + 4 * 0.035)
    # an unbiased estimate would have scattered at least twice as much, less the neighbour's part
    assert estimate.std(ddof=1) < 0.7 * np.sqrt(inverse[1, 1])


def test_errors_of_one_column_are_those_of_the_pool():
    errors = 0.4 + stream(1, "test_columns_audit", "errors").standard_normal((12, 3, 2))
    found = decompose(errors)
    for k in range(3):
        for q in range(2):
            expected = pooled(errors[:, k : k + 1, q : q + 1])
            for name in ("bias", "std", "rmse"):
                for ending in ("", "_low", "_high"):
                    assert found[name + ending][k, q] == pytest.approx(expected[name + ending], rel=1e-9)
    assert found["rmse"] ** 2 == pytest.approx(found["bias"] ** 2 + (1 - 1 / 12) * found["std"] ** 2)


def test_realisations_without_a_measurement_are_left_out_and_counted():
    errors = 0.4 + stream(1, "test_columns_audit", "gaps").standard_normal((12, 2, 1))
    full = decompose(errors[4:])
    errors[:4, 1] = np.nan
    found = decompose(errors)
    assert found["left_out"].tolist() == [[0], [4]]
    for name in ("bias", "std", "rmse", "bias_low", "std_high", "rmse_low"):
        assert found[name][1] == pytest.approx(full[name][1], rel=1e-9)
    errors[2:, 0] = np.inf
    assert np.isnan(decompose(errors)["std"][0, 0])
    assert decompose(errors)["n"][0, 0] == 2


def test_noise_without_spread_has_no_interval():
    found = decompose(np.full((5, 1, 1), 0.25))
    assert found["bias"] == found["bias_low"] == found["rmse"] == found["rmse_high"] == 0.25
    assert found["std"] == found["std_low"] == found["std_high"] == 0


def test_drift_is_the_mean_displacement_of_an_image():
    errors = stream(1, "test_columns_audit", "drift").standard_normal((3, 6, 2))
    errors[1, 2] = np.nan
    moved = without_drift(errors + np.array([[[5.0, 0.0]], [[-2.0, 1.0]], [[0.0, 0.0]]]))
    assert moved == pytest.approx(without_drift(errors), nan_ok=True)
    assert np.nanmean(moved, axis=1) == pytest.approx(np.zeros((3, 2)))


def test_the_slope_of_displacements_is_that_of_the_estimator_whatever_the_drift():
    rng = stream(1, "test_columns_audit", "slope")
    true = rng.standard_normal((20, 36, 2))
    noise = 0.3 * rng.standard_normal(true.shape)
    measured = 0.5 * true + noise + 3 * rng.standard_normal((20, 1, 2))
    measured[3, 5] = np.nan
    found = displacement_slope(true, measured)
    # standard error 0.3 / √(20 x 70)
    assert abs(found["slope"] - 0.5) < 4 * 0.3 / np.sqrt(1400)
    assert found["slope_low"] < found["slope"] < found["slope_high"]
    assert found["slope_high"] - found["slope_low"] == pytest.approx(4.2 * 0.3 / np.sqrt(1400), rel=0.7)
    assert (found["n"], found["left_out"]) == (719, 1)
    # without gaps and drift it is the slope of the pool
    centred = without_drift(true)
    plain = slope(centred.reshape(20, -1), without_drift(noise + true).reshape(20, -1))
    assert displacement_slope(true, noise + true)["slope"] == pytest.approx(plain["slope"], rel=1e-9)


def test_what_the_audit_refuses():
    with pytest.raises(EmrestoreError, match="positive background"):
        fisher_matrix(SHAPE, X, Y, HEIGHT, SIGMA, 0.0)
    with pytest.raises(EmrestoreError, match="three realisations"):
        measured_biased_bound(FISHER, np.zeros((2, 1, 3)), np.zeros((2, 1, 3)), 0.1)
    with pytest.raises(EmrestoreError, match="failed fit"):
        measured_biased_bound(FISHER, np.full((4, 1, 3), np.nan), np.zeros((4, 1, 3)), 0.1)
    with pytest.raises(EmrestoreError, match="two columns on one spot"):
        biased_bound(np.ones((2, 2)), np.eye(2))
    with pytest.raises(EmrestoreError, match="leave empty ones out"):
        displacement_slope(np.zeros((2, 3, 2)), np.full((2, 3, 2), np.nan))
