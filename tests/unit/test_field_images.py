"""Symmetry, source and pixels of images of a field."""

import numpy as np
import pytest

from emrestore.field import aliasing, broaden_and_sample, octant, unfold_4mm
from emrestore.multislice import Settings
from emrestore.rng import stream

LINE = 0.3 * np.arange(-6, 7)
POINTS = np.stack(np.meshgrid(LINE, LINE), axis=-1).reshape(-1, 2)


@pytest.mark.parametrize("overlap", [0.0, 0.7])
def test_an_octant_of_a_symmetric_image_unfolds_to_the_image(overlap):
    x, y = np.abs(POINTS.T)
    # integers: means of equal ones are exact
    image = (100 * np.maximum(x, y) / 0.3 + np.minimum(x, y) / 0.3).round().reshape(13, 13)
    seen = octant(POINTS, overlap + 1e-9).reshape(13, 13)
    assert seen.sum() == 28 if overlap == 0 else 28 < seen.sum() < 91
    assert np.array_equal(unfold_4mm(np.where(seen, image, np.nan)), image)


def test_unfolding_averages_what_is_known_more_than_once():
    image = stream(1, "unfold").normal(size=(2, 13, 13))
    full = unfold_4mm(image)
    assert np.allclose(full.mean(axis=(-2, -1)), image.mean(axis=(-2, -1)))
    assert np.allclose(full, full.swapaxes(-1, -2))
    assert np.allclose(full, full[..., ::-1])
    assert np.isnan(unfold_4mm(np.full((3, 3), np.nan))).all()


def test_a_spot_broadens_and_lies_where_the_convention_says():
    step, sigma, spot, pixel = 0.33, 0.38, 0.35, 0.2
    x0, y0 = 11.3, -4.1
    # ends of the scan 4 Å, seven widths, from the spot at (14, -1)
    x, y = x0 - 2 + step * np.arange(29), y0 - 2 + step * np.arange(28)
    scan = np.exp(-((x - 14) ** 2 + (y[:, None] + 1) ** 2) / 2 / spot**2)
    image = broaden_and_sample(scan, step, (x[0], y[0]), sigma, pixel, (30, 25), (x0, y0))
    wide = np.hypot(spot, sigma)
    px, py = (14 - x0) / pixel, (-1 - y0) / pixel
    i, j = np.arange(25), np.arange(30)[:, None]
    expected = (spot / wide) ** 2 * np.exp(-((i - px) ** 2 + (j - py) ** 2) * (pixel / wide) ** 2 / 2)
    # Poisson summation, per axis 2 Σ exp(-2 π² (s² k² + σ² (1/step - k)²)), greatest where k = σ² / (s² + σ²) / step:
    # 2 exp(-2 π² s² σ² / (s² + σ²) / step²) = 1.1e-5, in two axes and relative to an undiminished peak
    assert np.abs(image - expected).max() < 3e-5


def test_a_coarser_scan_aliases_more_and_the_studys_steps_little():
    settings = Settings(300, 21, 0, 0, 80, 160, 480, 1.96, 0.068)
    errors = [aliasing(settings, step, 0.382) for step in (0.234, 0.28, 0.33, 0.5)]
    assert errors == sorted(errors)
    # at the Nyquist step no image is aliased: only replicas are left, which the source removes
    assert errors[0] < 1e-7
    assert errors[2] < 2e-3
    assert errors[3] > 0.05
