"""Views: a turned crystal, merged columns, a film's mean and scatter."""

import numpy as np
import pytest

from emrestore import views
from emrestore.periodic import sample

PERIOD, PIXEL, SHAPE = 1.96, 0.2, (40, 50)
ORIGIN = np.array([0.3, -0.7])


@pytest.fixture
def image():
    x = np.arange(8) / 8
    return 1 + np.cos(2 * np.pi * x) + 0.5 * np.sin(2 * np.pi * x)[:, None]


def test_a_crystal_that_is_not_turned_is_the_crystal(image):
    straight = sample(image, (PERIOD, PERIOD), PIXEL, SHAPE, ORIGIN)
    found = views.turned(image, PERIOD, 0.0, PIXEL, SHAPE, ORIGIN)
    # cubic splines err by about (2 pi h / period)^4 / 500 of a harmonic, with h = PIXEL / 4: 1e-6
    assert np.abs(found - straight).max() < 1e-5


def test_places_turn_with_the_crystal(image):
    """The turned image at a turned place is the image at the place."""
    middle = views.middle(PIXEL, SHAPE, ORIGIN)
    place = np.array([[12, 9], [30, 25]]) * PIXEL + ORIGIN
    before = views.turn(place, -30.0, middle)
    values = np.stack([sample(image, (PERIOD, PERIOD), PIXEL, (1, 1), one)[0, 0] for one in before])
    found = views.turned(image, PERIOD, 30.0, PIXEL, SHAPE, ORIGIN)
    assert found[[9, 25], [12, 30]] == pytest.approx(values, abs=1e-5)
    # from x towards y
    assert views.turn(np.array([1.0, 0.0]), 90.0, np.zeros(2)) == pytest.approx([0, 1])


def test_close_columns_become_one_midway():
    merged = views.merge(np.array([[0.0, 0], [5, 0]]), np.array([[0.4, 0], [8, 8]]))
    assert merged.tolist() == [[0.2, 0], [5, 0], [8, 8]]
    assert len(views.merge(np.array([[0.0, 0]]), np.array([[views.RESOLVED + 1e-6, 0]]))) == 2


def test_film_has_its_density():
    """Carbon of 2 g/cm³ has 0.1003 atoms/Å³; a wedge is twice its mean thick at the right edge."""
    shape, sigma = (64, 200), 0.45
    arguments = ((0.0, 200.0), shape, PIXEL, 0.01, np.random.default_rng(5))
    mean = views.film(*arguments, density=2.0, sigma=sigma, uniform=True)
    assert mean[:, -1] == pytest.approx(0.1003 * 200 * 0.01, rel=1e-3)
    assert (mean[:, 0] == 0).all()
    found = views.film(*arguments, density=2.0, sigma=sigma)
    # the sum of Poisson atoms: relative standard error 1/sqrt(atoms); mirrored borders keep the sum to 1 %
    atoms = 0.1003 * 100 * np.prod(shape) * PIXEL**2
    assert found.sum() == pytest.approx(mean.sum(), rel=4 / np.sqrt(atoms) + 0.01)
    # variance of shot noise blurred by a Gaussian: rate / (4 pi sigma²) with the rate per Å²; half the field from
    # the thick end, 1 / sqrt(independent areas of 4 pi sigma²) = 6 % each, four standard errors
    part = slice(120, 180)
    rate = 0.1003 * np.linspace(0, 200, 200)[part].mean()
    scatter = ((found - mean)[:, part] ** 2).mean() / 0.01**2
    areas = 64 * 60 * PIXEL**2 / (4 * np.pi * sigma**2)
    assert scatter == pytest.approx(rate / (4 * np.pi * sigma**2), rel=4 * np.sqrt(2 / areas))
