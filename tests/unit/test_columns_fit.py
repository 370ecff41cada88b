import dataclasses

import numpy as np
import pytest
import torch

from emrestore.columns import model
from emrestore.columns.fit import fit_columns, fit_images, fit_windows
from emrestore.columns.reference import fit_lmfit, fit_lmfit_windows
from emrestore.errors import EmrestoreError
from emrestore.rng import stream


def lattice(name, side=4, pitch=12.0, sigma=2.7, height=30.0, background=2.0, spread=0.3):
    """A disturbed square lattice: positions (K, 2), heights (K,), image (Y, X) without noise."""
    g = stream(1, "test_columns_fit", name)
    along = (np.arange(side) + 0.5) * pitch
    positions = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2) + spread * g.normal(size=(side**2, 2))
    heights = height * g.uniform(0.5, 1.5, side**2)
    image = draw(positions, heights, sigma, background, (int(side * pitch), int(side * pitch) + 3))
    return positions, heights, image


def draw(positions, heights, sigma, background, shape):
    """The model written out pixel by pixel, independent of the code under test."""
    y, x = np.indices(shape)
    image = np.full(shape, float(background))
    sigma = np.broadcast_to(sigma, len(positions))
    for (x_k, y_k), height, width in zip(positions, heights, sigma, strict=True):
        image += height * np.exp(-((x - x_k) ** 2 + (y - y_k) ** 2) / (2 * width**2))
    return image


@pytest.mark.parametrize("estimator", ["ls", "ml"])
@pytest.mark.parametrize("width", ["shared", "column", "fixed"])
def test_noise_free_images_are_recovered(estimator, width):
    # rounding: 1e-16 of an image value over its slope per pixel; 1e-8 leaves room for the conditioning
    positions, heights, image = lattice("noise-free")
    sigma = 2.7 if width != "column" else stream(1, "test_columns_fit", "widths").uniform(2.3, 3.0, 16)
    image = draw(positions, heights, sigma, 2.0, image.shape)
    fit = fit_images(
        image,
        positions + 0.4,
        estimator=estimator,
        width=width,
        sigma=2.7 if width == "fixed" else None,
        tolerance=1e-9,
    )
    assert fit.converged.all()
    assert not fit.on_bound.any()
    np.testing.assert_allclose(torch.stack([fit.x, fit.y], -1)[0], positions, atol=1e-8, rtol=0)
    np.testing.assert_allclose(fit.height[0], heights, rtol=1e-8)
    np.testing.assert_allclose(fit.sigma[0], np.broadcast_to(sigma, 16), rtol=1e-8)
    np.testing.assert_allclose(fit.background[0], 2.0, rtol=1e-8)
    np.testing.assert_allclose(fit.scs[0], 2 * np.pi * sigma**2 * heights, rtol=1e-8)


@pytest.mark.parametrize("estimator", ["ls", "ml"])
def test_windowed_fits_equal_lmfit(estimator):
    # both stop within 1e-4 standard errors (0.2 px, 10 %) of the same optimum
    positions, _, image = lattice(f"windows {estimator}", side=14, pitch=20.0, sigma=4.0, background=3.0)
    image = stream(1, "test_columns_fit", "windows noise", estimator).poisson(image).astype(float)
    ours = fit_windows(image, positions, 9.5, estimator=estimator, sigma=4.0, tolerance=1e-6)
    theirs = fit_lmfit_windows(image, positions, 9.5, sigma=4.0, estimator=estimator, max_shift=10.0)
    assert ours.converged.all()
    np.testing.assert_allclose(ours.x[0], theirs.x, atol=1e-3, rtol=0)
    np.testing.assert_allclose(ours.y[0], theirs.y, atol=1e-3, rtol=0)
    np.testing.assert_allclose(ours.scs[0], theirs.scs, rtol=1e-3)
    np.testing.assert_allclose(ours.sigma[0], theirs.sigma, rtol=1e-3)


@pytest.mark.parametrize("estimator", ["ls", "ml"])
@pytest.mark.parametrize("width", ["shared", "column"])
def test_joint_fits_equal_lmfit(estimator, width):
    positions, _, image = lattice(f"joint {estimator}", side=3, height=80.0)
    image = stream(1, "test_columns_fit", "joint noise", estimator).poisson(image).astype(float)
    ours = fit_images(image, positions, estimator=estimator, width=width, tolerance=1e-6)
    theirs = fit_lmfit(image, positions, sigma=2.7, estimator=estimator, width=width, max_shift=6.0)
    assert ours.converged.all()
    np.testing.assert_allclose(ours.x[0], theirs.x, atol=1e-3, rtol=0)
    np.testing.assert_allclose(ours.y[0], theirs.y, atol=1e-3, rtol=0)
    np.testing.assert_allclose(ours.scs[0], theirs.scs, rtol=1e-3)
    np.testing.assert_allclose(ours.height[0], theirs.height, rtol=1e-3)


@pytest.mark.parametrize("width", ["shared", "column"])
@pytest.mark.parametrize("estimator", ["ls", "ml"])
@pytest.mark.parametrize("sparse", [False, True])
def test_gradient_and_normal_matrix_equal_those_of_the_dense_jacobian(width, estimator, sparse):
    """The Jacobian by autograd; sparse: several levels, and pairs beyond reach, with terms below 2e-6."""
    sigma, pitch, shape = (1.3, 6.5, (70, 34)) if sparse else (2.7, 9.0, (34, 43))
    g = stream(1, "test_columns_fit", "dense", int(sparse))
    along = [np.arange(6.0, length - 3, pitch) for length in (shape[1], shape[0])]
    positions = np.stack(np.meshgrid(*along), -1).reshape(-1, 2)
    count = len(positions)
    column = np.concatenate([g.uniform(5, 9, (count, 1)), positions + g.normal(0, 0.3, (count, 2))], 1)
    if width == "column":
        column = np.concatenate([column, sigma * g.uniform(0.9, 1.0, (count, 1))], 1)
    shared = [1.5, sigma][: 2 if width == "shared" else 1]
    plan = model.layout(positions[None], model.REACH * sigma)
    assert (plan.levels > 4) == sparse
    column, shared = torch.tensor(column)[plan.order], torch.tensor(shared, dtype=torch.float64)

    def mu(values):
        column_, shared_ = values[: column.numel()].view(column.shape), values[column.numel() :]
        y, x = torch.meshgrid(*(torch.arange(length) for length in shape), indexing="ij")
        width_ = column_[:, 3] if width == "column" else shared_[1].expand(count)
        height, x_k, y_k = (value[:, None, None] for value in column_.T[:3])
        exponent = ((x - x_k) ** 2 + (y - y_k) ** 2) / (2 * width_[:, None, None] ** 2)
        return (shared_[0] + (height * torch.exp(-exponent)).sum(0)).flatten()

    values = torch.cat([column.flatten(), shared])
    axes = torch.eye(len(values), dtype=torch.float64)  # one by one: all at once would not fit in the cache
    jacobian = torch.stack([torch.func.jvp(mu, (values,), (axis,))[1] for axis in axes], dim=1)
    expected = mu(values)
    image = torch.tensor(g.poisson(expected.numpy()).astype(float))
    weight = 1 / expected if estimator == "ml" else torch.ones_like(expected)
    gradient = jacobian.T @ (weight * (image - expected))
    matrix = jacobian.T @ (weight[:, None] * jacobian)

    normal = model.evaluate(image.view(1, *shape), column[None], shared[None], plan, estimator)
    ours = torch.cat([normal.column.flatten(), normal.shared.flatten()])
    torch.testing.assert_close(ours, gradient, rtol=1e-10, atol=1e-10 * float(gradient.abs().max()))
    # the inverse covers pairs, border, layout and chain at once
    free = torch.ones(1, *column.shape, dtype=torch.bool), torch.ones(1, len(shared), dtype=torch.bool)
    system = model.factorise(normal, plan, *free, torch.zeros(1, dtype=torch.float64))
    inverse = torch.linalg.inv(matrix)
    blocks, cross, common = system.covariance()
    parts = inverse[: column.numel(), : column.numel()].view(count, -1, count, column.shape[1])
    # in units of standard errors, in which what the matrix neglects is below 2e-6
    error, common_error = inverse.diagonal().sqrt().split([column.numel(), len(shared)])
    near = {"rtol": 0.0, "atol": 1e-5}
    for k, unit in enumerate(error.view(column.shape)):
        unit = unit[:, None] * unit
        torch.testing.assert_close(blocks[0, k] / unit, parts[k, :, k] / unit, **near)
    unit = error[:, None] * common_error
    dense = inverse[: column.numel(), column.numel() :]
    torch.testing.assert_close(cross[0].flatten(0, 1) / unit, dense / unit, **near)
    unit = common_error[:, None] * common_error
    torch.testing.assert_close(common[0] / unit, inverse[column.numel() :, column.numel() :] / unit, **near)
    step = torch.cat([part.flatten() for part in system.solve(normal.column, normal.shared)])
    dense = inverse @ gradient
    torch.testing.assert_close(step, dense, rtol=1e-4, atol=1e-5 * float(dense.abs().max()))


def test_batch_and_single_images_agree_and_columns_keep_their_order():
    positions, _, image = lattice("batch")
    noise = stream(1, "test_columns_fit", "batch noise")
    images = noise.poisson(np.stack([image, 2 * image, 0.5 * image])).astype(float)
    starts = positions + noise.normal(0, 0.3, (3, 16, 2))
    shuffle = noise.permutation(16)
    together = fit_images(images, starts, tolerance=1e-6)
    for k in range(3):
        alone = fit_images(images[k], starts[k, shuffle], tolerance=1e-6)
        np.testing.assert_allclose(alone.x[0], together.x[k, shuffle], atol=1e-5)
        np.testing.assert_allclose(alone.scs_se[0], together.scs_se[k, shuffle], rtol=1e-4)


def test_transposing_swaps_x_and_y():
    positions, _, image = lattice("transpose")
    image = image + stream(1, "test_columns_fit", "transpose noise").normal(size=image.shape)
    fit = fit_images(image, positions, tolerance=1e-6)
    turned = fit_images(image.T, positions[:, ::-1].copy(), tolerance=1e-6)
    for name, other in {"x": "y", "y": "x", "scs": "scs", "x_se": "y_se", "height": "height"}.items():
        np.testing.assert_allclose(getattr(fit, name), getattr(turned, other), rtol=1e-6)


def test_scaling_the_image_scales_what_is_in_image_units():
    positions, _, image = lattice("scale")
    image = image + stream(1, "test_columns_fit", "scale noise").normal(size=image.shape)
    fit, scaled = (fit_images(factor * image, positions, tolerance=1e-6) for factor in (1.0, 1e-4))
    for name in ("height", "scs", "background", "height_se", "scs_se", "background_se"):
        np.testing.assert_allclose(1e-4 * getattr(fit, name), getattr(scaled, name), rtol=1e-6)
    np.testing.assert_allclose(fit.x, scaled.x, rtol=1e-6)


def test_the_pixel_size_scales_lengths_and_its_square_cross_sections():
    positions, heights, image = lattice("pixel size")
    table = fit_columns(image, positions, pixel_size=0.2)
    assert len(table) == len(positions)
    np.testing.assert_allclose(table[["x_A", "y_A"]], 0.2 * positions, atol=1e-6)
    np.testing.assert_allclose(table.scs, 2 * np.pi * (0.2 * 2.7) ** 2 * heights, rtol=1e-6)
    np.testing.assert_allclose(table.x_A_se, 0.2 * table.x_se)
    plain = fit_columns(image, positions)
    np.testing.assert_allclose(table.scs_se, 0.04 * plain.scs_se)
    windows = fit_columns(image, positions, joint=False)
    assert list(windows.columns) == list(table.columns)


def test_a_column_held_by_its_bound_is_flagged():
    positions, _, image = lattice("bound", spread=0.0)
    starts = positions.copy()
    starts[5, 0] += 3.0
    fit = fit_images(image, starts, max_shift=1.0)
    assert fit.on_bound[0].nonzero().flatten().tolist() == [5]
    assert fit.x[0, 5] == pytest.approx(starts[5, 0] - 1.0, abs=1e-12)
    assert fit.converged.all()


def test_a_column_that_is_not_there_is_flagged():
    positions, heights, image = lattice("vacancy")
    heights[5] = -5.0  # a dip: the height ends at its bound, zero
    image = draw(positions, heights, 2.7, 20.0, image.shape)
    for estimator in ("ls", "ml"):
        fit = fit_images(image, positions, estimator=estimator)
        assert fit.on_bound[0, 5]
        assert fit.height[0, 5] == 0
        assert torch.isinf(fit.x_se[0, 5])
        assert not fit.on_bound[0, [0, 15]].any()


def test_columns_near_the_border_are_flagged():
    # rows at 6, 18, 30, 42 of 48 px, columns of 51: the outer ones are within 3 sigma = 8.1 px of the edge, or,
    # on the right, as far away as that
    positions, _, image = lattice("border")
    fit = fit_images(image, positions)
    x, y = positions.T
    near = (np.minimum(x + 0.5, 50.5 - x) < 8.1) | (np.minimum(y + 0.5, 47.5 - y) < 8.1)
    assert 8 <= near.sum() <= 12
    np.testing.assert_array_equal(fit.border[0], near)


@pytest.mark.parametrize("estimator", ["ls", "ml"])
def test_images_without_content_end_flagged_and_finite(estimator):
    positions, _, image = lattice("empty")
    images = np.stack([np.zeros_like(image), np.full_like(image, 3.0), image])
    fit = fit_images(images, positions, estimator=estimator, sigma=2.7)
    for field in dataclasses.fields(fit):
        assert not getattr(fit, field.name).isnan().any(), field.name
    assert (fit.on_bound[0] | ~fit.converged[0]).all()
    # a constant image: heights are zero to rounding, flagged or without significance
    assert (fit.on_bound[1] | (fit.height[1] < 1e-6)).all()
    assert fit.converged[2]


@pytest.mark.parametrize("estimator", ["ls", "ml"])
@pytest.mark.parametrize("width", ["shared", "column", "fixed"])
def test_seven_electrons_a_column_terminate_without_nan(estimator, width):
    g = stream(1, "test_columns_fit", "seven")
    along = (np.arange(4) + 0.5) * 19.6
    positions = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
    mean = draw(positions, np.full(16, 7 / (2 * np.pi * 4.5**2)), 4.5, 0.0, (78, 78))
    images = g.poisson(mean, (8, 78, 78)).astype(float)
    fit = fit_images(images, positions, estimator=estimator, width=width, sigma=4.5)
    for field in dataclasses.fields(fit):
        assert not getattr(fit, field.name).isnan().any(), field.name
    assert (fit.iterations <= 51).all()
    assert (abs(fit.x - torch.tensor(positions[:, 0])) <= 9.8 + 1e-9).all()


def test_bad_input_is_refused_in_one_sentence():
    positions, _, image = lattice("bad")
    hole, negative = image.copy(), image.copy()
    hole[3, 3], negative[3, 3] = np.nan, -1
    many = np.stack(np.meshgrid(np.arange(0, 9, 1.0), np.arange(0, 9, 1.0)), -1).reshape(-1, 2)
    for bad in (
        lambda: fit_columns(hole, positions),
        lambda: fit_columns(negative, positions, estimator="ml"),
        lambda: fit_columns(image, positions + 60),
        lambda: fit_columns(image, np.concatenate([positions, positions[:1]])),
        lambda: fit_columns(image[:0], positions),
        lambda: fit_columns(image, np.zeros((0, 2))),
        lambda: fit_columns(image[:9, :9], many),
        lambda: fit_columns(image, positions * np.nan),
        lambda: fit_columns(image, positions, estimator="wls"),
        lambda: fit_columns(image, positions, width="fixed"),
        lambda: fit_columns(image, positions, pixel_size=0),
        lambda: fit_columns(image, positions, joint=False, radius=200),
        lambda: fit_columns(np.stack([image, image]), positions),
    ):
        with pytest.raises(EmrestoreError) as caught:
            bad()
        assert str(caught.value).count("\n") == 0


def test_a_single_column_without_a_start_width_is_found():
    image = draw(np.array([[14.2, 11.7]]), [9.0], 3.1, 1.0, (24, 28))
    table = fit_columns(image, np.array([[13.0, 12.5]]))
    found = table[["x", "y", "sigma", "amplitude", "background"]]
    np.testing.assert_allclose(found, [[14.2, 11.7, 3.1, 9.0, 1.0]], rtol=1e-6)
    windowed = fit_columns(image, np.array([[13.0, 12.5]]), joint=False, radius=9)
    np.testing.assert_allclose(windowed.x, 14.2, rtol=1e-6)


@pytest.mark.parametrize("estimator", ["ls", "ml"])
@pytest.mark.parametrize("held", [0.0, 1.5])
def test_a_background_that_is_held_is_known_and_the_rest_is_recovered(estimator, held):
    positions, heights, image = lattice("held")
    image = draw(positions, heights, 2.7, held, image.shape)
    fit = fit_images(image, positions + 0.4, estimator=estimator, background=held, tolerance=1e-9)
    # ml holds at least 1e-6 of the mean (4e-6 here): against slopes of about 10 per pixel, and with weights that prefer
    # the faint pixels where it counts, it moves columns by about 1e-6 px
    np.testing.assert_allclose(fit.background[0], held, atol=2e-6 * image.mean())
    np.testing.assert_allclose(torch.stack([fit.x, fit.y], -1)[0], positions, atol=1e-5, rtol=0)
    np.testing.assert_allclose(fit.height[0], heights, rtol=1e-5)
    assert (fit.background_se == 0).all()


def test_a_held_background_keeps_its_wrong_value_and_the_fit_pays_for_it():
    positions, _, image = lattice("held-wrong")
    free = fit_images(image, positions)
    held = fit_images(image, positions, background=0.0)
    assert held.background[0] == 0
    assert held.objective[0] > free.objective[0] + 1
    # the background's electrons have to go somewhere
    assert held.scs.sum() > free.scs.sum()


def test_knowing_the_background_lowers_errors():
    positions, _, image = lattice("held-errors")
    noisy = stream(1, "test_columns_fit", "held-errors").poisson(image)
    free = fit_images(noisy, positions, estimator="ml")
    held = fit_images(noisy, positions, estimator="ml", background=2.0)
    assert (held.scs_se < free.scs_se).all()
