import sys

import numpy as np
import pytest
from scipy.stats import poisson

from emrestore.errors import EmrestoreError
from emrestore.metrics import psnr
from emrestore.restore.classical import Bm3d, estimate_sigma, stabilise, unstabilise
from emrestore.rng import stream


@pytest.fixture
def bm3d():
    return pytest.importorskip("bm3d")


def filtered(images, **settings):
    return Bm3d(**settings)(np.asarray(images), lambda fraction: None)


def lattice(mean, *address):
    """8 x 8 equal columns, 6 pixels apart, on a background, and Poisson counts of it."""
    profile = np.exp(-0.5 * ((np.arange(48) % 6 - 2.5) / 1.5) ** 2)
    clean = 0.05 + np.outer(profile, profile)
    clean *= mean / clean.mean()
    return clean, stream(7, "test_restore_classical", mean, *address).poisson(clean).astype(np.float32)


@pytest.mark.parametrize("mean", [0.05, 1.0, 3.0, 10.0, 33.3, 100.0, 1000.0])
def test_inverse_of_the_mean_is_the_mean(mean):
    counts = np.arange(poisson.isf(1e-15, mean) + 1)
    expected = poisson.pmf(counts, mean) @ stabilise(counts)
    # table: step 0.01 in the transform, whose inverse has the second derivative 1/2, so 0.01² / 16 = 6e-6;
    # expansion, above a mean of 100: its next term is of the order of 1 / mean, here at most 0.1 / mean
    assert unstabilise(expected) == pytest.approx(mean, abs=2e-5 if mean < 100 else 0.1 / mean)


def test_inverse_is_unbiased_with_readout_noise():
    for mean in (1.0, 10.0, 100.0):
        g = stream(7, "test_restore_classical", "readout", mean)
        counts = g.poisson(mean, 200_000) + g.normal(0, 2, 200_000)
        values = stabilise(counts, 2.0)
        # five standard errors of the mean transform, through the slope D / 2 = sqrt(mean + 3/8 + readout²), plus 1 %
        # of a count for values below -3/8 - readout², which the transform clips
        error = 5 * values.std() / 200_000**0.5 * values.mean() / 2
        assert unstabilise(values.mean(), 2.0) == pytest.approx(mean, abs=error + 0.01)


def test_sigma_of_white_noise_is_found_under_a_lattice_and_hot_pixels():
    _, noisy = lattice(200.0)
    noisy[::12, ::12] += 1e4
    # the median of 46² values, of which a 16 taps wide neighbourhood is correlated: relative error about
    # 1.17 / sqrt(46² / 3) = 4 %; each of the 16 hot pixels spoils the 9 values around it, 7 % of all, which moves the
    # median by 9 %
    assert estimate_sigma(stabilise(noisy)) == pytest.approx(1.0, abs=0.04 * 3 + 0.09)


def test_flat_field(bm3d):
    noisy = stream(7, "test_restore_classical", "flat").poisson(20.0, (2, 32, 32)).astype(np.float32)
    restored = filtered(noisy)
    assert restored.shape == noisy.shape
    assert restored.dtype == np.float32
    # a mean over one 8 x 8 patch alone leaves 1/64 of the variance
    assert restored.var() < 20 / 64
    assert restored.mean() == pytest.approx(20.0, abs=5 * (20 / noisy.size) ** 0.5)


@pytest.mark.parametrize("mean", [0.1, 10.0])
def test_lattice_gains_more_than_four_patches_would_give(bm3d, mean):
    clean, noisy = lattice(mean)
    restored = filtered(noisy[None])[0]
    # averaging 4 of the 64 equal columns gives 10 log10(4) = 6 dB
    assert psnr(restored, clean, clean.max()) > psnr(noisy, clean, clean.max()) + 6
    assert restored.min() >= 0


def test_unit_does_not_matter(bm3d):
    _, noisy = lattice(5.0)
    once = filtered(noisy[None], gain=1.3, readout=0.5)
    again = filtered(noisy[None] * 64.0, gain=1.3 * 64, readout=0.5 * 64)
    np.testing.assert_array_equal(again, once * 64.0)  # a power of two: every step scales exactly


def test_gain_takes_the_excess_noise_of_a_photomultiplier(bm3d):
    clean, noisy = lattice(40.0, "pulses")
    g = stream(7, "test_restore_classical", "pulses")
    noisy = noisy + np.sqrt(noisy) * g.normal(size=noisy.shape)  # relative width 1: excess factor 2
    assert estimate_sigma(stabilise(noisy / 2)) == pytest.approx(1.0, abs=0.15)
    best = psnr(filtered(noisy[None], gain=2.0)[0], clean, clean.max())
    assert best > psnr(filtered(noisy[None], sigma=1.0)[0], clean, clean.max()) + 1
    # without the gain, the sigma rule sees the excess
    assert psnr(filtered(noisy[None])[0], clean, clean.max()) == pytest.approx(best, abs=1)


def test_small_constant_and_empty_images(bm3d):
    images = np.zeros((3, 8, 9), np.float32)
    images[1] = 7.0
    images[2, 3, 4] = 1.0
    fractions = []
    restored = Bm3d()(images, fractions.append)
    np.testing.assert_array_equal(restored[:2], images[:2])
    assert np.isfinite(restored).all()
    assert fractions == pytest.approx([1 / 3, 2 / 3, 1])


def test_what_cannot_be_filtered_is_refused(bm3d):
    with pytest.raises(EmrestoreError, match="NaN"):
        filtered(np.full((1, 16, 16), np.nan))
    for settings in ({"gain": 0.0}, {"readout": -1.0}, {"sigma": 0.0}):
        with pytest.raises(EmrestoreError):
            Bm3d(**settings)


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "bm3d", None)
    with pytest.raises(EmrestoreError, match="non-commercial"):
        filtered(np.ones((1, 16, 16)))
