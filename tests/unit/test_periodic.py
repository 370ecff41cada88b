import numpy as np
import pytest

from emrestore.periodic import broaden, sample, symmetrise_4mm
from emrestore.rng import stream

CELL = (2.0, 3.0)


def series(x, y):
    """A real function of period CELL with frequencies up to 3 along x and 2 along y."""
    u, v = 2 * np.pi * x / CELL[0], 2 * np.pi * y / CELL[1]
    return 2 + np.cos(u) - 0.5 * np.sin(3 * u) * np.cos(v) + 0.25 * np.cos(2 * v - 2 * u + 0.3)


def grid(nx, ny):
    y, x = np.meshgrid(np.arange(ny) * CELL[1] / ny, np.arange(nx) * CELL[0] / nx, indexing="ij")
    return x, y


@pytest.mark.parametrize(("nx", "ny"), [(7, 5), (8, 6), (9, 16)])
def test_sample_is_exact_for_band_limited_images(nx, ny):
    image = series(*grid(nx, ny))
    found = sample(image[None], CELL, 0.137, (20, 31), (-0.4, 1.1))[0]
    y, x = np.meshgrid(1.1 + 0.137 * np.arange(20), -0.4 + 0.137 * np.arange(31), indexing="ij")
    assert np.abs(found - series(x, y)).max() < 1e-12


def test_sample_at_the_grid_returns_the_samples_whatever_they_are():
    image = stream(1, "periodic").random((6, 6))
    assert np.abs(sample(image, (1.2, 1.2), 0.2, (6, 6), (0, 0)) - image).max() < 1e-12


def test_broadening_adds_variances_and_keeps_the_mean():
    # a Gaussian far narrower than the cell: convolution with a Gaussian of sigma s gives sqrt(w² + s²)
    n, cell, w, s = 64, 10.0, 0.5, 0.6
    line = np.arange(n) * cell / n - cell / 2
    spot = np.exp(-(line[:, None] ** 2 + line**2) / (2 * w**2))
    wide = broaden(spot, (cell, cell), s)
    expected = w**2 / (w**2 + s**2) * np.exp(-(line[:, None] ** 2 + line**2) / (2 * (w**2 + s**2)))
    assert np.abs(wide - expected).max() < 1e-9
    assert wide.mean() == pytest.approx(spot.mean(), rel=1e-12)


def test_symmetrised_images_have_the_symmetry_and_keep_it():
    image = stream(1, "4mm").random((3, 9, 9))
    even = symmetrise_4mm(image)
    assert np.allclose(even, even.swapaxes(-1, -2))
    assert np.allclose(even[:, 1:, 1:], even[:, :0:-1, 1:])
    assert np.allclose(symmetrise_4mm(even), even)
    assert np.allclose(even.mean(axis=(1, 2)), image.mean(axis=(1, 2)))
