"""Errors and tables of fitted columns, on fits made up so that the answer is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emrestore.metrics import column_errors, displacement_table, is_inside, precision_table, psnr, rmse
from emrestore.numbers import displaced_numbers, fig03_numbers
from emrestore.rng import stream

PITCH, PIXEL, COLUMNS = 20.0, 0.1, 36
NOISE = {"raw": 2.0, "published": 0.5}  # px
SLOPE = {"raw": 1.0, "published": 0.4}


@pytest.fixture
def geometry():
    line = PITCH / 2 - 0.5 + PITCH * np.arange(6)
    y, x = (axis.ravel() for axis in np.meshgrid(line, line, indexing="ij"))
    shifts = stream(1, "metrics").standard_normal((2, COLUMNS))
    return xr.Dataset(
        {"clean": (("y", "x"), np.zeros((120, 120)))}
        | {"x_site": ("column", x), "y_site": ("column", y), "dx": ("column", shifts[0]), "dy": ("column", shifts[1])},
        attrs={"pixel_size": PIXEL, "pitch": PITCH},
    )


def fits_and_truth(geometry, method, doses=(500.0, 50000.0), realisations=40):
    rng = stream(1, "fits", method)
    truth = pd.DataFrame({"estimator": "ls", "thickness": 5, "column": np.arange(COLUMNS), "scs": 0.05})
    for axis in "xy":
        truth[axis] = geometry[f"{axis}_site"].values + geometry[f"d{axis}"].values
    rows = []
    for dose in doses:
        for realisation in range(realisations):
            rows.append(truth.assign(dose=dose, realisation=realisation, converged=True, on_bound=False))
            for axis in "xy":
                site = geometry[f"{axis}_site"].values
                kept = SLOPE[method] * geometry[f"d{axis}"].values
                noise = NOISE[method] * np.sqrt(500 / dose) * rng.standard_normal(COLUMNS)
                rows[-1][axis] = site + kept + noise
            rows[-1]["scs"] = 0.05 * (1.1 + 0.2 * rng.standard_normal(COLUMNS))
    return pd.concat(rows, ignore_index=True), truth


@pytest.fixture
def tables(geometry):
    scores = []
    for method in NOISE:
        errors = column_errors(*fits_and_truth(geometry, method), geometry, 1.0)
        scores.append(errors.assign(sampling="fine", method=f"{method}_ls").drop(columns="estimator"))
        scores += [scores[-1].assign(method="raw_ml")] if method == "raw" else []
    scores = pd.concat(scores, ignore_index=True)
    bounds = pd.concat(
        pd.DataFrame(
            {"sampling": "fine", "dose": dose, "thickness": 5, "column": np.arange(COLUMNS), "crlb_scs": 0.005}
        ).assign(crlb_x=20 * np.sqrt(500 / dose), crlb_y=20 * np.sqrt(500 / dose))
        for dose in (500.0, 50000.0)
    )
    return precision_table(scores, bounds), displacement_table(scores, bounds)


def test_columns_within_a_pitch_of_the_border_are_not_scored(geometry):
    # sites half a pitch from the border are out, those one and a half away are in: 4 x 4 of 6 x 6
    assert is_inside(geometry, 1.0).sum() == 16
    assert is_inside(geometry, 0.5).all()
    assert not is_inside(geometry, 3.0).any()


def test_precision_table_recovers_noise_bias_and_bound(tables):
    table = tables[0].set_index(["dose", "method", "quantity"])
    # 40 realisations x 16 columns x 2 axes: relative error of a standard deviation 1 / sqrt(2 x 1248)
    for method in NOISE:
        for dose in (500.0, 50000.0):
            row = table.loc[dose, f"{method}_ls", "position"]
            expected = NOISE[method] * np.sqrt(500 / dose) * PIXEL * 100
            assert row["std"] == pytest.approx(expected, rel=4 / np.sqrt(2 * 1248))
            assert row["std_low"] < row["std"] < row["std_high"]
            assert row["n"] == 640
    assert table.loc[500.0, "raw_ls", "scs"]["bias"] == pytest.approx(10, abs=4 * 20 / np.sqrt(640))
    assert table.loc[500.0, "raw_ls", "scs"]["crlb"] == pytest.approx(10)
    assert table.loc[500.0, "raw_ls", "position"]["crlb"] == pytest.approx(20)


def test_rmse_is_bias_and_scatter_together(tables):
    rows = tables[0]
    rest = rows["rmse"] ** 2 - rows["std"] ** 2
    # exact but for the n - 1 of the variance, which bias_rms² takes into account: rest = bias² - std² / n + std² / n
    kept = rows["bias_rms"] > 0
    assert rest[kept].to_numpy() == pytest.approx(rows.loc[kept, "bias_rms"].to_numpy() ** 2, rel=1e-9, abs=1e-9)


def test_displacement_table_finds_what_was_kept(tables):
    table = tables[1].set_index(["dose", "method"])
    for method, kept in SLOPE.items():
        row = table.loc[50000.0, f"{method}_ls"]
        for axis in "xy":
            assert row[f"slope_{axis}_low"] < kept < row[f"slope_{axis}_high"]
            assert row[f"slope_{axis}"] == pytest.approx(kept, abs=0.05)
    assert table["slope_clean"].to_numpy() == pytest.approx(1.0)
    # with 0.6 of the displacement lost and little noise, the error is 0.6 of what not looking would give
    row = table.loc[50000.0, "published_ls"]
    assert row["rmse"] / row["displacement"] == pytest.approx(0.6, rel=0.02)


def test_numbers_are_ratios_of_the_table(tables):
    numbers = fig03_numbers(tables[0])
    assert numbers["fig03.position_gain_low_dose"]["value"] == pytest.approx(4, rel=0.1)
    assert numbers["fig03.position_raw_over_crlb_low_dose"]["value"] == pytest.approx(1, rel=0.1)
    assert numbers["fig03.gain_trend"]["value"] == pytest.approx(1, rel=0.2)
    entry = numbers["fig03.position_restored_over_crlb_high_dose"]
    assert entry["ci_low"] < 0.25 < entry["ci_high"]
    found = displaced_numbers(tables[1].assign(specimen="displaced_small"))
    assert found["displaced.small.published_ls.slope_high_dose"]["value"] == pytest.approx(0.4, abs=0.03)
    assert found["displaced.small.published_ls.rmse_over_lattice_high_dose"]["value"] == pytest.approx(0.6, rel=0.02)


def test_a_column_without_counterpart_is_an_error(geometry):
    fits, truth = fits_and_truth(geometry, "raw", realisations=3)
    with pytest.raises(ValueError, match="counterpart"):
        column_errors(fits, truth[truth["column"] > 0], geometry, 1.0)


def test_psnr_and_rmse_by_hand():
    truth = np.zeros((2, 2))
    image = np.array([[0.0, 0.0], [0.0, 2.0]])
    assert rmse(image, truth) == 1.0
    assert psnr(image, truth, 10.0) == pytest.approx(20.0)
