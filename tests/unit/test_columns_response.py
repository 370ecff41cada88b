"""Bookkeeping of displaced columns, and bounds against estimates whose response is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emrestore import store
from emrestore.columns.crlb import bounds as unbiased_bounds
from emrestore.columns.response import (
    AXES,
    Lattice,
    bounds,
    designs,
    near_information,
    offsets,
    prior_draws,
    read_lattice,
    responses,
    summarise_errors,
    summarise_response,
)
from emrestore.errors import EmrestoreError
from emrestore.plot.audit_bounds import bounds_figure
from emrestore.plot.style import METHODS, style
from emrestore.rng import stream

LATTICE = Lattice(columns=14, pitch=9.8, sigma=2.4, height=1.2e-3, background=4e-10, pixel_size=0.2)
SINGLE = replace(LATTICE, columns=9)  # has one displaced column
STEP = 0.5
DOSE = 500.0


def response_of(estimate, lattice=LATTICE, realisations=4):
    """Give plus, minus and distance of an estimate that is a function of displacements (R, K, 2)."""
    made = {(d["axis"], d["sign"]): d["displacements"] for d in designs(lattice, STEP, [], realisations, 1)}
    plus, minus = (np.stack([estimate(made[axis, sign]) for axis in AXES]) for sign in (1, -1))
    return plus, minus, np.stack([made[axis, 1][:, lattice.displaced(), place] for place, axis in enumerate(AXES)])


def test_sites_are_half_a_pitch_inside_the_border_and_numbered_by_row():
    assert LATTICE.shape == (137, 137)
    assert LATTICE.sites[[0, 1, 14]] == pytest.approx(np.array([[4.4, 4.4], [14.2, 4.4], [4.4, 14.2]]))
    # pixel centres are integers, so the border is at -0.5
    assert LATTICE.sites.min() + 0.5 == pytest.approx(137.2 - 0.5 - LATTICE.sites.max())
    assert LATTICE.inside(1).sum() == 144


def test_a_displaced_column_is_drawn_where_it_is():
    moved = np.zeros((1, 196, 2))
    moved[0, 5 * 14 + 3] = [1.0, -0.6]  # sixth row, fourth of the row
    difference = LATTICE.expected(moved, DOSE)[0] - LATTICE.expected(np.zeros((1, 196, 2)), DOSE)[0]
    x, y = LATTICE.sites[5 * 14 + 3]
    # displaced along +x and -y: more electrons on the right, fewer below
    assert difference[round(y), round(x + 2.4)] > 0 > difference[round(y), round(x - 2.4)]
    assert difference[round(y - 2.4), round(x)] > 0 > difference[round(y + 2.4), round(x)]
    # a Gaussian holds 2 pi sigma² height wherever its centre is (sampled at 2.4 px: to e^(-2 pi² sigma²), nothing)
    assert difference.sum() == pytest.approx(0, abs=1e-6)


def test_displaced_columns_have_neighbours_that_are_not_at_the_border():
    around = LATTICE.displaced()[:, None] + offsets() @ [1, 14]
    assert LATTICE.inside(1)[around].all()
    with pytest.raises(EmrestoreError, match="at least 9"):
        Lattice(8, 9.8, 2.4, 1.0, 1e-9, 0.2).displaced()


def test_directions_cancel_between_any_two_displaced_columns():
    signs = LATTICE.signs(8)
    assert len(LATTICE.displaced()) == 4
    assert signs.T @ signs == pytest.approx(8 * np.eye(4))
    forth, back = (designs(LATTICE, STEP, [], 8, 1)[place]["displacements"] for place in (0, 1))
    assert (forth == -back).all()
    assert (forth[:, LATTICE.displaced(), 0] == STEP * signs).all()


def test_displacing_a_column_shows_at_the_right_neighbour():
    # the estimate is x of the neighbour to the right (offset 1, 0) and half the y of the one below on the left (-1, 1);
    # with one displaced column only, exactly
    def estimate(displacements):
        grid = displacements.reshape(-1, 9, 9, 2)
        seen = np.zeros_like(grid)
        seen[:, :, :-1, 0] = grid[:, :, 1:, 0]
        seen[:, :-1, 1:, 0] += 0.5 * grid[:, 1:, :-1, 1]
        return seen.reshape(displacements.shape)

    given = response_of(estimate, SINGLE)
    assert responses(*given, SINGLE).shape == (4, 1, 2, 98)
    table, gradient = summarise_response(*given, SINGLE, DOSE)
    found = gradient[gradient["value"].abs() > 1e-9].set_index(["estimate", "parameter", "offset_x", "offset_y"])
    assert found["value"].to_dict() == pytest.approx({("x", "x", 1, 0): 1.0, ("x", "y", -1, 1): 0.5})
    shares = table.set_index("quantity")["value"]
    assert shares["own"] == pytest.approx(0)
    assert shares["neighbours"] == pytest.approx(0.5)  # x follows one neighbour along x, y none


@pytest.mark.parametrize("lattice", [SINGLE, LATTICE])
def test_the_gradient_of_any_linear_estimate_is_found(lattice):
    kernel = stream(1, "test_columns_response", "kernel").standard_normal((len(offsets()), 2, 2))

    def estimate(displacements):
        grid = displacements.reshape(-1, lattice.columns, lattice.columns, 2)
        seen = sum(
            np.roll(grid, (-dy, -dx), axis=(1, 2)) @ matrix.T
            for (dx, dy), matrix in zip(offsets(), kernel, strict=True)
        )
        return seen.reshape(displacements.shape)

    _, gradient = summarise_response(*response_of(estimate, lattice), lattice, DOSE)
    expected = kernel.transpose(1, 0, 2).ravel()  # estimate, offset, parameter
    assert gradient["value"].to_numpy() == pytest.approx(expected, abs=1e-9)
    # several displaced columns disturb each other's neighbours in every realisation, and not in the mean of four
    assert (gradient["se"].max() < 1e-9) == (lattice is SINGLE)


def test_a_shrinking_estimate_obeys_its_biased_bound_and_not_the_unbiased_one():
    # half of an efficient estimate: its covariance is F⁻¹ / 4. The same noise either way leaves the gradient exact, so
    # the bound is half the root of the inverse information of the near columns. 40 x 288 errors of variances alike and
    # nearly independent leave 1 / √23040 = 0.7 % on their root mean square
    covariance = np.linalg.inv(DOSE * LATTICE.information())
    draws = stream(1, "test_columns_response", "shrink").standard_normal((40, 392)) @ np.linalg.cholesky(covariance).T
    noise = draws.reshape(40, 196, 2)
    part = noise[:, :81]
    table, _ = summarise_response(*response_of(lambda moved: 0.5 * (moved + part), SINGLE, 40), SINGLE, DOSE)
    biased = table.set_index("quantity")["value"]["biased_bound"]
    middle = 2 * (offsets() == 0).all(1).argmax()
    near = np.diag(np.linalg.inv(DOSE * near_information(SINGLE)))[middle : middle + 2]
    assert biased == pytest.approx(0.5 * 20 * np.sqrt(near.mean()), rel=1e-9)
    errors = summarise_errors(np.zeros_like(noise), 0.5 * noise, LATTICE, 1).set_index("quantity")
    crlb = bounds(LATTICE, [DOSE], np.zeros((1, 196, 2)), [], 1)["value"].item()
    assert errors["value"]["std"] == pytest.approx(0.5 * crlb, rel=4 * 0.007)
    # the rest known and the rest estimated differ by under 1 % here
    assert biased == pytest.approx(0.5 * crlb, rel=0.01)
    assert biased < 0.5 * crlb


def test_what_halving_costs_shows_in_the_slope_and_not_in_the_spread():
    # errors of half the displacement and no noise: RMSE is half the prior's width over the columns drawn
    draws = prior_draws(LATTICE, 4, 1)
    found = summarise_errors(draws, 0.5 * draws, LATTICE, 1).set_index("quantity")
    assert found["value"]["slope"] == pytest.approx(0.5)
    assert found["value"]["rmse"] == pytest.approx(0.5 * 20 * np.sqrt((draws[:, LATTICE.inside(1)] ** 2).mean()))
    assert found["n"]["rmse"] == 4 * 144


def test_failed_fits_are_left_out_and_counted():
    noise = stream(1, "test_columns_response", "gaps").standard_normal((4, 196, 2))
    measured = noise.copy()
    measured[1, 6 * 14 + 6] = np.nan
    errors = summarise_errors(np.zeros_like(noise), measured, LATTICE, 1)
    assert set(errors["left_out"]) == {4}
    assert set(errors["n"]) == {4 * 143}
    table, gradient = summarise_response(*response_of(lambda moved: moved + measured), LATTICE, DOSE)
    # (6, 6) is in the third ring or nearer of all that are displaced, (4, 4), (4, 9), (9, 4) and (9, 9)
    assert table["left_out"].tolist() == [4] * 3
    assert table["n"].tolist() == [12] * 3
    assert np.isfinite(gradient["value"]).all()


def test_van_trees_lies_below_prior_and_bound_and_joins_them():
    draws = np.zeros((1, 196, 2))
    found = bounds(LATTICE, [DOSE, 100 * DOSE], draws, [0.0, 0.01, 5.0, 1e5], 1).set_index(
        ["quantity", "dose", "prior"]
    )
    value = found["value"]
    near = 20 * np.sqrt(np.diag(np.linalg.inv(DOSE * LATTICE.information(alone=True)))[LATTICE.inside(1).repeat(2)])
    crlb = value["crlb", DOSE, 0.0]
    assert value["van_trees", DOSE, 0.0] == 0
    # corrections are (prior / bound)² and its inverse, 1e-6 and 1e-8
    assert value["van_trees", DOSE, 0.01] == pytest.approx(0.01, rel=1e-5)
    assert value["van_trees", DOSE, 1e5] == pytest.approx(np.sqrt((near**2).mean()), rel=1e-5)
    assert value["van_trees", DOSE, 5.0] < min(5.0, crlb)
    assert value["lattice_site", DOSE, 5.0] == pytest.approx(5.0)
    # information is proportional to dose
    assert value["crlb", 100 * DOSE, 0.0] == pytest.approx(crlb / 10)
    # the bound is that of the fits: heights and width estimated along, the background known
    x, y = LATTICE.sites.T
    settings = {"width": "shared", "free_background": False}
    height = np.full(196, DOSE * LATTICE.height)
    expected = unbiased_bounds(LATTICE.shape, x, y, height, LATTICE.sigma, DOSE * LATTICE.background, **settings)
    inside = LATTICE.inside(1)
    both = np.stack([expected.x[0].numpy()[inside], expected.y[0].numpy()[inside]])
    assert crlb == pytest.approx(20 * np.sqrt((both**2).mean()), rel=1e-6)


def test_prior_fields_are_displaced_in_proportion():
    small, large = (d["displacements"] for d in designs(LATTICE, STEP, [2.0, 20.0], 3, 1) if d["experiment"] == "prior")
    assert large == pytest.approx(10 * small)
    # 20 pm are one pixel; 3 x 392 deviates leave 1 / √2352 = 2.1 % on their deviation
    assert large.std() == pytest.approx(1.0, rel=4 * 0.021)
    assert designs(LATTICE, STEP, [2.0], 5, 1)[-1]["displacements"][:3] == pytest.approx(small)


def test_the_lattice_is_read_from_the_fit_of_a_clean_image(tmp_path):
    rows = {"estimator": ["ml", "ml", "ls"], "thickness": [5, 5, 5], "sigma": [2.3, 2.5, 9.0]}
    pd.DataFrame(rows | {"height": [60.0, 62.0, 1.0], "background": [1e-5, 3e-5, 0.0]}).to_parquet(
        tmp_path / "t.parquet"
    )
    pairs = xr.Dataset(coords={"dose": [500, 50000]}, attrs={"pitch": 9.8, "pixel_size": 0.2})
    store.write(pairs, tmp_path / "p.nc", {})
    found = read_lattice(tmp_path / "t.parquet", tmp_path / "p.nc", 5, 9)
    expected = (9, 9.8, 2.4, 61 / 50000, 2e-5 / 50000, 0.2)
    names = ("columns", "pitch", "sigma", "height", "background", "pixel_size")
    assert [getattr(found, name) for name in names] == pytest.approx(expected)
    with pytest.raises(EmrestoreError, match="no maximum-likelihood fit of thickness 7"):
        read_lattice(tmp_path / "t.parquet", tmp_path / "p.nc", 7, 9)


def test_the_figure_draws_what_the_table_holds():
    table = [
        bounds(LATTICE, [DOSE], np.zeros((1, 196, 2)), [1.0, 2.0, 10.0], 1).assign(method="bound", experiment="bound")
    ]
    for name in ("raw_ml", "published_ls"):
        for quantity, value in (("std", 4.0), ("rmse", 5.0), ("biased_bound", 3.0), ("own", 0.2), ("neighbours", 0.7)):
            row = {"experiment": "prior", "prior": 0.0, "quantity": quantity, "value": value, "low": 0.9 * value}
            table.append(pd.DataFrame([row | {"high": 1.1 * value, "method": name, "dose": DOSE}]))
        for quantity in ("rmse", "slope"):
            row = {"experiment": "prior", "quantity": quantity, "low": 0.4, "value": 0.5, "high": 0.6}
            table += [pd.DataFrame([row | {"method": name, "dose": DOSE, "prior": width}]) for width in (2.0, 10.0)]
    with style():
        figure = bounds_figure(pd.concat(table, ignore_index=True))
        scatter, _, error, slope = figure.axes
        crlb = table[0].loc[table[0]["quantity"] == "crlb", "value"].item()
        heights = [item[0].get_ydata().item() for item in scatter.containers if hasattr(item, "has_yerr")]
        assert sorted(heights) == pytest.approx([4 / crlb] * 2 + [5 / crlb] * 2)
        for axis in (error, slope):
            label = METHODS["published_ls"][0]
            curve = next(item for item in axis.containers if item.get_label() == label)
            assert list(curve[0].get_xdata())[-2:] == [2.0, 10.0]
