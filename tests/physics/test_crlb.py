"""Bounds against theory, and estimators against bounds."""

import math

import numpy as np
import pytest
import torch

from emrestore.columns import model
from emrestore.columns.crlb import bounds
from emrestore.columns.fit import fit_images, fit_windows
from emrestore.rng import stream


def test_one_column_on_no_background_has_the_closed_form():
    # Position: sigma / sqrt(N); volume: 1 / sqrt(N). Sums over pixels equal integrals to exp(-2 pi^2 sigma^2). The
    # background of 1e-12 H equals the column at r = 7.4 sigma, beyond which lies 1e-12 of the column; vacuum tells it
    # so well that it costs nothing to estimate. The last column of digits is left to the parts of this argument.
    sigma, counts = 5.0, 1e4
    height = counts / (2 * math.pi * sigma**2)
    bound = bounds((121, 121), [60.3], [59.8], [height], sigma, 1e-12 * height)
    assert float(bound.x) == pytest.approx(sigma / math.sqrt(counts), rel=1e-3)
    assert float(bound.y) == pytest.approx(sigma / math.sqrt(counts), rel=1e-3)
    assert float(bound.scs) == pytest.approx(math.sqrt(counts), rel=1e-3)
    # the width from 2 N coordinates: sigma / (2 sqrt(N)); the height, with the width known: 1 / sqrt(N)
    assert float(bound.sigma) == pytest.approx(sigma / 2 / math.sqrt(counts), rel=1e-3)
    known = bounds((121, 121), [60.3], [59.8], [height], sigma, 1e-12 * height, width="fixed")
    assert float(known.height) == pytest.approx(height / math.sqrt(counts), rel=1e-3)
    assert float(known.sigma) == 0


@pytest.mark.parametrize("width", ["shared", "column", "fixed"])
@pytest.mark.parametrize("free_background", [True, False])
def test_bounds_equal_those_of_a_dense_fisher_matrix(width, free_background):
    g = stream(2, "test_crlb", "dense")
    shape, sigma, background, count = (44, 50), 2.4, 0.3, 16
    along = np.arange(4) * 11.0
    x, y = (axis.ravel() + 7 + g.normal(0, 0.5, count) for axis in np.meshgrid(along, along))
    height, widths = g.uniform(3, 9, count), sigma * np.ones(count)
    if width == "column":
        widths = sigma * g.uniform(0.9, 1.1, count)

    def mu(values):
        x, y, height, widths, background = (*values[: 4 * count].view(4, count, 1, 1), values[-1])
        rows, lines = torch.meshgrid(*(torch.arange(length) for length in shape), indexing="ij")
        return (
            background + (height * torch.exp(-((lines - x) ** 2 + (rows - y) ** 2) / (2 * widths**2))).sum(0)
        ).flatten()

    values = torch.tensor(np.concatenate([x, y, height, widths, [background]]))
    tie = torch.eye(len(values), dtype=torch.float64)
    jacobian = torch.stack([torch.func.jvp(mu, (values,), (axis,))[1] for axis in tie], dim=1)
    if width != "column":  # one width: the columns of the Jacobian add up
        common = tie[:, 3 * count : 4 * count].sum(1, keepdim=True)
        tie = torch.cat([tie[:, : 3 * count], common, tie[:, -1:]], 1)
    if width == "fixed":
        tie = torch.cat([tie[:, : 3 * count], tie[:, -1:]], 1)
    if not free_background:
        tie = tie[:, :-1]
    jacobian = jacobian @ tie
    covariance = tie @ torch.linalg.inv(jacobian.T @ (jacobian / mu(values)[:, None])) @ tie.T
    columns = values[:-1].view(4, count)
    volume = torch.zeros(count, len(values), dtype=torch.float64)  # d scs / d (x, y, height, sigma, background)
    volume[:, 2 * count : 3 * count] = torch.diag(2 * math.pi * columns[3] ** 2)
    volume[:, 3 * count : 4 * count] = torch.diag(4 * math.pi * columns[3] * columns[2])
    expected = covariance.diagonal().clamp(min=0).sqrt()
    sigma = widths if width == "column" else sigma
    found = bounds(shape, x, y, height, sigma, background, width=width, free_background=free_background)
    # what is cut off the normal matrix is below 1e-6 of it
    for k, name in enumerate(("x", "y", "height", "sigma")):
        dense = expected[k * count : (k + 1) * count]
        np.testing.assert_allclose(getattr(found, name)[0], dense, rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(found.background, expected[-1:], rtol=1e-5, atol=1e-12)
    np.testing.assert_allclose(found.scs[0], (volume @ covariance @ volume.T).diagonal().sqrt(), rtol=1e-5)


@pytest.fixture(scope="module")
def crowd():
    """2,000 images of nine columns of about 400 electrons, 4.4 sigma apart, on a tenth of their height."""
    g = stream(2, "test_crlb", "crowd")
    sigma, pitch = 2.2, 9.8
    along = 6.0 + pitch * np.arange(3)
    positions = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2) + g.normal(0, 0.3, (9, 2))
    heights, background, shape = 400 / (2 * math.pi * sigma**2) * g.uniform(0.7, 1.3, 9), 0.7, (32, 33)
    column = torch.tensor(np.concatenate([heights[:, None], positions], axis=1))[None]
    mu = model.render(column, torch.tensor([[background, sigma]], dtype=torch.float64), shape)[0]
    images = g.poisson(mu.numpy(), (2000, *shape)).astype(float)
    bound = bounds(shape, *positions.T, heights, sigma, background)
    truth = {"x": positions[:, 0], "y": positions[:, 1], "scs": 2 * math.pi * sigma**2 * heights}
    return images, positions, truth, bound


def test_maximum_likelihood_is_unbiased_and_attains_the_bound(crowd):
    images, positions, truth, bound = crowd
    fit = fit_images(images, positions, estimator="ml", sigma=2.2)
    assert fit.converged.all()
    for name, true in truth.items():
        error = (getattr(fit, name).numpy() - true) / getattr(bound, name).numpy()
        pooled = error.mean(1)  # images are independent, columns are not quite
        assert abs(pooled.mean()) < 3 * pooled.std() / math.sqrt(len(pooled)), name
        # 18,000 nearly independent values: the sampling error of the ratio is 1 / sqrt(2 N) = 0.5 %
        assert error.std() == pytest.approx(1.0, abs=0.05), name
        # reported standard errors: their mean square over realisations is the variance
        reported = getattr(fit, f"{name}_se").numpy() / getattr(bound, name).numpy()
        assert np.sqrt((reported**2).mean()) == pytest.approx(error.std(), rel=0.03), name


def test_least_squares_scatters_more_than_the_bound(crowd):
    images, positions, truth, bound = crowd
    fit = fit_images(images, positions, estimator="ls", sigma=2.2)
    for name, true in truth.items():
        error = (getattr(fit, name).numpy() - true) / getattr(bound, name).numpy()
        assert error.std() > 1 - 3 / math.sqrt(2 * error.size), name


def test_standard_errors_of_least_squares_hold_for_equal_noise(crowd):
    _, positions, truth, _ = crowd
    g = stream(2, "test_crlb", "equal noise")
    column = np.concatenate([(truth["scs"] / (2 * math.pi * 2.2**2))[:, None], positions], axis=1)
    mu = model.render(torch.tensor(column)[None], torch.tensor([[0.7, 2.2]], dtype=torch.float64), (32, 33))
    fit = fit_images(mu + torch.tensor(g.normal(0, 1.0, (1000, 32, 33))), positions)
    for name, true in truth.items():
        error = (getattr(fit, name).numpy() - true) / getattr(fit, f"{name}_se").numpy()
        # 9,000 values: sampling error 1 / sqrt(2 N) = 0.75 %; columns of one image share width and background
        assert error.std() == pytest.approx(1.0, abs=0.03), name


def test_windows_attain_their_own_bound():
    # one column on 21 x 21 px, background and width estimated: 2,000 values, sampling error of the std 1.6 %
    g = stream(2, "test_crlb", "window")
    height, sigma, background = 20.0, 3.0, 1.0
    mu = model.render(
        torch.tensor([[[height, 10.3, 9.8]]], dtype=torch.float64),
        torch.tensor([[background, sigma]], dtype=torch.float64),
        (21, 21),
    )
    images = g.poisson(mu.numpy(), (2000, 21, 21)).astype(float)
    fit = fit_windows(images, [[10.0, 10.0]], 10.0, estimator="ml", sigma=3.0, max_shift=3.0)
    bound = bounds((21, 21), [10.3], [9.8], [height], sigma, background)
    for name in ("x", "y", "scs", "sigma"):
        assert float(getattr(fit, name).std()) == pytest.approx(float(getattr(bound, name)), rel=0.05), name
