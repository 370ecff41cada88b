import numpy as np
import pytest

from emrestore.distort.blur import Blur
from emrestore.distort.chain import Chain
from emrestore.distort.jitter import Jitter
from emrestore.distort.mtf import Mtf
from emrestore.distort.shot import Shot
from emrestore.errors import EmrestoreError
from emrestore.pairs import draw_images, expected_counts, replay

POISSON = Chain(None, (("shot", 1.0, Shot()),))


def test_expected_counts_are_dose_times_area_times_fraction():
    # 500 e/Å² on pixels of 0.2 Å: 20 electrons, a quarter of them detected
    assert expected_counts(np.full((2, 2), 0.25), 500, 0.2) == pytest.approx(5.0)


def test_counts_are_poisson():
    # mean m and variance m, n = 200 x 32 x 32 draws: standard errors sqrt(m / n) and sqrt((2 m² + m) / n)
    m, n = 3.0, 200 * 32 * 32
    counts = draw_images(np.full((32, 32), m), 200, POISSON, 0.1, 1, "test")[0].astype(float)
    assert (counts == np.round(counts)).all()
    assert abs(counts.mean() - m) < 4 * np.sqrt(m / n)
    assert abs(counts.var() - m) < 4 * np.sqrt((2 * m**2 + m) / n)


def test_a_realisation_does_not_depend_on_how_many_there_are():
    expected = np.full((8, 8), 2.0)
    few, many = (draw_images(expected, count, POISSON, 0.1, 1, "a")[0] for count in (3, 9))
    assert np.array_equal(few, many[:3])


def test_images_are_made_again_from_their_parameters():
    jitter = Jitter({"x": 1, "y": 1, "xy": 1}, (0.1, 0.3), (0.1, 0.3), (0, 0.7), "row")
    chain = Chain(None, (("jitter", 0.5, jitter), ("shot", 1.0, Shot()), ("blur", 0.5, Blur((0.5, 1.0)))))
    expected = 5 + np.cos(np.arange(32) / 3) + np.zeros((24, 1))
    images, parameters = draw_images(expected, 10, chain, 0.1, 1, "a")
    assert 0 < parameters["jitter.occurs"].sum() < 10
    assert np.array_equal(replay(expected, chain, parameters), images)


def test_a_chain_that_moves_the_truth_is_refused():
    with pytest.raises(EmrestoreError, match="'mtf' changes it"):
        draw_images(
            np.ones((16, 16)), 2, Chain(None, (("mtf", 1.0, Mtf((0.5, 0.5), (0.5, 0.5), (1, 1))),)), 0.1, 1, "a"
        )


@pytest.mark.parametrize(
    ("fraction", "dose", "pixel"), [(0.5, 0, 0.1), (0.5, 500, -1), (1.5, 500, 0.1), (np.nan, 1, 1)]
)
def test_impossible_images_are_refused(fraction, dose, pixel):
    with pytest.raises(EmrestoreError):
        expected_counts(np.full((2, 2), fraction), dose, pixel)
