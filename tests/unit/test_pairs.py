import numpy as np
import pytest

from emrestore.errors import EmrestoreError
from emrestore.pairs import draw_counts, expected_counts


def test_expected_counts_are_dose_times_area_times_fraction():
    # 500 e/Å² on pixels of 0.2 Å: 20 electrons, a quarter of them detected
    assert expected_counts(np.full((2, 2), 0.25), 500, 0.2) == pytest.approx(5.0)


def test_counts_are_poisson():
    # mean m and variance m, n = 200 x 32 x 32 draws: standard errors sqrt(m / n) and sqrt((2 m² + m) / n)
    m, n = 3.0, 200 * 32 * 32
    counts = draw_counts(np.full((32, 32), m), 200, 1, "test").astype(float)
    assert abs(counts.mean() - m) < 4 * np.sqrt(m / n)
    assert abs(counts.var() - m) < 4 * np.sqrt((2 * m**2 + m) / n)


def test_a_realisation_does_not_depend_on_how_many_there_are():
    expected = np.full((8, 8), 2.0)
    assert np.array_equal(draw_counts(expected, 3, 1, "a"), draw_counts(expected, 9, 1, "a")[:3])


@pytest.mark.parametrize(
    ("fraction", "dose", "pixel"), [(0.5, 0, 0.1), (0.5, 500, -1), (1.5, 500, 0.1), (np.nan, 1, 1)]
)
def test_impossible_images_are_refused(fraction, dose, pixel):
    with pytest.raises(EmrestoreError):
        expected_counts(np.full((2, 2), fraction), dose, pixel)
