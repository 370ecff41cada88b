"""Maximum likelihood on counts of Gaussian columns follows each column alone, and attains the bound."""

import numpy as np
import pandas as pd
import pytest

from emrestore.columns.response import Lattice, bounds, designs, measure, prior_draws, response_step, summarise
from emrestore.restore import open_method

LATTICE = Lattice(columns=9, pitch=9.8, sigma=2.4, height=1.2e-3, background=4e-10, pixel_size=0.2)
DOSE, REALISATIONS = 20000.0, 8


@pytest.fixture(scope="module")
def found():
    step = response_step(LATTICE, DOSE, 1.0)
    rows = [
        measure(LATTICE, design, DOSE, open_method("identity"), ["ls", "ml"], 1)
        for design in designs(LATTICE, step, [0.0, 10.0], REALISATIONS, 1)
    ]
    return {name: summarise(some, LATTICE, 1) for name, some in pd.concat(rows).groupby("estimator")}


def value(found, estimator, quantity, prior=0.0):
    table = found[estimator][0].set_index(["quantity", "prior"])
    return table.loc[(quantity, prior)]


def test_maximum_likelihood_attains_the_bound(found):
    # 49 columns x 2 axes x 8 realisations, nearly independent: 1 / √(2 x 686) = 2.7 % on a standard deviation
    limit = bounds(LATTICE, [DOSE], np.zeros((1, 81, 2)), [], 1)["value"].item()
    for prior in (0.0, 10.0):
        assert value(found, "ml", "rmse", prior)["value"] == pytest.approx(limit, rel=4 * 0.027)
    assert value(found, "ml", "std")["value"] == pytest.approx(limit, rel=4 * 0.027)
    # nor has it a bias that noise does not explain
    assert value(found, "ml", "bias")["low"] == 0
    assert value(found, "ml", "biased_bound")["value"] == pytest.approx(limit, rel=0.2)
    # least squares wastes what dim pixels tell: in theory its variance is that of weights 1 in place of 1 / mu
    assert value(found, "ls", "std")["value"] > 1.05 * limit


def test_maximum_likelihood_follows_its_column_alone(found):
    for estimator in ("ls", "ml"):
        own, neighbours = (value(found, estimator, name) for name in ("own", "neighbours"))
        # the interval has 95 %; a standard error is a 2.36th of its half width (7 degrees of freedom)
        for row, expected in ((own, 1.0), (neighbours, 0.0)):
            assert abs(row["value"] - expected) < 5 * (row["high"] - row["low"]) / 2 / 2.36
        assert own["high"] - own["low"] < 0.2  # the same noise either way: a tenth of what independent noise leaves
        assert value(found, estimator, "slope", 10.0)["value"] == pytest.approx(1.0, abs=0.03)


def test_no_estimate_lies_below_van_trees(found):
    draws = prior_draws(LATTICE, REALISATIONS, 1)
    table = bounds(LATTICE, [DOSE], draws, [10.0], 1).set_index("quantity")["value"]
    # of 686 errors and as many displacements, one prior draw: 2.7 % as above
    for estimator in ("ls", "ml"):
        assert value(found, estimator, "rmse", 10.0)["value"] > (1 - 4 * 0.027) * table["van_trees"]
