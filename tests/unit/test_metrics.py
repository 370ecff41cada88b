"""Errors and tables of fitted columns, on fits made up so that the answer is known."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from emrestore.metrics import (
    accuracy_table,
    column_errors,
    displacement_table,
    is_inside,
    precision_table,
    psnr,
    rmse,
)
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


class TestAccuracy:
    """Absolute errors of columns that are known: normal, with a drift of each image, and a worse region."""

    REALISATIONS, COLUMNS, SIGMA, DRIFT = 200, 60, 5.0, 20.0

    def scores(self):
        generator = stream(1, "accuracy")
        shape = (self.REALISATIONS, self.COLUMNS)
        width = np.where(np.arange(self.COLUMNS) < 10, 3 * self.SIGMA, self.SIGMA)
        noise = generator.standard_normal((*shape, 3)) * width[:, None]
        noise[..., :2] += self.DRIFT * generator.standard_normal((self.REALISATIONS, 1, 2))
        realisation, column = (part.ravel() for part in np.indices(shape))
        rows = pd.DataFrame({"sampling": "a", "thickness": 0, "dose": 500.0, "method": "m", "realisation": realisation})
        rows["column"], rows["converged"], rows["on_bound"] = column, realisation > 0, False
        rows["x_error"], rows["y_error"] = noise[..., 0].ravel(), noise[..., 1].ravel()
        rows["scs_error"], rows["scored"] = noise[..., 2].ravel() / 100, True
        rows["ux"], rows["uy"], rows["scs_clean"] = rows["x_error"] + 30, rows["y_error"] + 40, 0.5
        rows["ux_atoms"], rows["uy_atoms"] = 30.0, 40.0
        return rows

    def bounds(self):
        rows = pd.DataFrame({"dose": 500.0, "thickness": 0, "column": np.arange(self.COLUMNS)})
        return rows.assign(crlb_x=3.0, crlb_y=4.0, crlb_scs=0.01)

    def table(self, scores, regions):
        return accuracy_table(scores, regions, self.bounds())

    def test_values_are_those_of_normal_errors(self):
        regions = {"core": np.arange(10), "rest": np.arange(10, self.COLUMNS), "nowhere": np.array([999])}
        table = self.table(self.scores(), regions).set_index(["region", "quantity"])
        assert set(table.index.get_level_values("region")) == {"core", "rest"}
        for region, factor in (("core", 3), ("rest", 1)):
            sigma = factor * self.SIGMA
            expected = {
                # mean length of a two-dimensional normal vector: √(π/2) of its deviation per axis
                "position": np.sqrt(np.pi / 2) * np.hypot(sigma, self.DRIFT),
                # the mean over columns, whose variance is that of the mean, is taken away
                "position_drift": np.sqrt(np.pi / 2) * sigma * np.sqrt(1 - 2 / self.COLUMNS + 140 / 60**2 / factor**2),
                "scs": np.sqrt(2 / np.pi) * sigma,
                "position_std": np.hypot(sigma, self.DRIFT),
                "scs_std": sigma,
                "scs_rmse": sigma,
                "position_rmse": np.hypot(sigma, self.DRIFT),
                "position_atoms": np.sqrt(np.pi / 2) * np.hypot(sigma, self.DRIFT),
            }
            for quantity, value in expected.items():
                row = table.loc[(region, quantity)]
                # the interval of 95 % is two standard errors; within five
                assert abs(row["value"] - value) < 2.5 * (row["high"] - row["value"]) + 1e-9, (region, quantity)
                assert row["low"] < row["value"] < row["high"]
                assert row["not_converged"] == pytest.approx(1 / self.REALISATIONS)
            # no bias: the square's interval of 95 % is two standard errors wide either way, within five
            for quantity in ("position_bias", "scs_bias"):
                assert table.loc[(region, quantity), "value"] < 2.5 * table.loc[(region, quantity), "high"]
            assert table.loc[(region, "position_std"), "crlb"] == pytest.approx(np.sqrt(12.5))
            assert table.loc[(region, "scs_rmse"), "crlb"] == pytest.approx(2.0)

    def test_bias_is_found_beneath_noise(self):
        """Half the columns are off by 6 to the right, half to the left, in noise of 5 and drift of 20."""
        scores = self.scores()
        scores["x_error"] += np.where(scores["column"] % 2, 6.0, -6.0)
        table = self.table(scores, {"rest": np.arange(10, self.COLUMNS)}).set_index("quantity")
        row = table.loc["position_bias"]
        # pooled over both axes; between two and five standard errors of the square
        assert abs(row["value"] ** 2 - 18) < 2.5 * (row["high"] ** 2 - row["value"] ** 2)
        assert row["low"] > 0

    def test_unscored_columns_are_left_out(self):
        scores = self.scores()
        scores.loc[scores["column"] < 10, "scored"] = False
        table = self.table(scores, {"core": np.arange(10), "rest": np.arange(10, self.COLUMNS)})
        assert set(table["region"]) == {"rest"}

    def test_columns_without_an_error_are_left_out_and_counted(self):
        scores = self.scores()
        plain = self.table(scores, {"rest": np.arange(11, self.COLUMNS)})
        scores.loc[(scores["column"] == 10) & (scores["realisation"] == 3), "scs_error"] = np.inf
        table = self.table(scores, {"rest": np.arange(10, self.COLUMNS)})
        assert (table["left_out"] == 1).all()
        assert (table["columns"] == self.COLUMNS - 11).all()
        assert np.allclose(table["value"], plain["value"])
