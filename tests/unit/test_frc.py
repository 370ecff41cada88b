import numpy as np
import pytest

from emrestore.errors import EmrestoreError
from emrestore.frc import agreement, crossing, fourier_ring_correlation, half_bit, independent, ring_products
from emrestore.rng import stream

EDGE = 96


def white(name, count=1, edge=EDGE):
    return stream(5, "test_frc", name).standard_normal((count, edge, edge))


@pytest.mark.parametrize("window", ["hann", "none"])
def test_an_image_agrees_with_itself_and_not_with_another(window):
    first, second = white("pair", 2)
    same = fourier_ring_correlation(first, 3 * first + 7, window)
    np.testing.assert_allclose(same["frc"], 1, atol=1e-12)
    assert len(same) == EDGE // 2
    assert same["frequency"].iloc[-1] == 0.5
    other = fourier_ring_correlation(first, second, window)
    # m independent complex products: the real part's mean has variance 1 / (2 m); 48 rings stay within 4 of these, the
    # small ones are skipped, where the ratio is not normal
    score = other["frc"] * np.sqrt(2 * independent(other["pixels"], window))
    assert np.abs(score[5:]).max() < 4
    # and their mean square is one: 43 squares have a standard deviation of sqrt(2 / 43) = 0.22, and under the window
    # neighbouring rings are alike, so that there are half as many
    assert (score[5:] ** 2).mean() == pytest.approx(1, abs=4 * 0.22 * 2**0.5)


def test_rings_hold_every_fourier_pixel_within_nyquist_once():
    _, pixels, products = ring_products(white("rings", 2, 40), "none")
    radius = np.hypot(*np.meshgrid(np.fft.fftfreq(40), np.fft.fftfreq(40)))
    assert pixels.sum() == ((radius > 0.5 / 40) & (radius < 20.5 / 40)).sum()
    # Parseval within the rings, and symmetry
    np.testing.assert_allclose(products, np.swapaxes(products, 1, 2))
    assert products[:, 0, 0].sum() < 40**2 * (white("rings", 2, 40)[0] ** 2).sum()


@pytest.mark.parametrize("window", ["hann", "none"])
def test_signal_in_noise_has_the_correlation_of_theory(window):
    signal, *noise = white("theory", 9)
    ratio = 0.5
    images = signal + np.array(noise) / np.sqrt(ratio)
    found = agreement(images, signal, window).iloc[5:]
    expected = ratio / (1 + ratio)
    # the pair: 28 pairs of eight images share noise; with m independent Fourier pixels and SNR q the error is below
    # that of eight independent pairs, sqrt((1 + 2 q) / (2 m)) / (1 + q) / sqrt(8)
    error = np.sqrt((1 + 2 * ratio) / 2 / independent(found["pixels"], window) / 8) / (1 + ratio)
    # the signal's own power in a ring scatters by 1 / sqrt(m), which moves q / (1 + q) by q / (1 + q)² of that
    error = np.hypot(error, ratio / (1 + ratio) ** 2 / np.sqrt(independent(found["pixels"], window)))
    for name in ("pair", "truth_squared"):
        assert (np.abs(found[name] - expected) / error).max() < 4.5
        assert found[name].mean() == pytest.approx(expected, abs=3 * np.sqrt((error**2).mean() * 2 / len(found)))
    # unbiased images: nothing in common that is not true
    assert found["common"].mean() == pytest.approx(0, abs=3 * np.sqrt((error**2).mean() * 2 / len(found)))
    # 43 intervals of 95 %, neighbours not independent: at least 80 % hold zero
    assert ((found["common_low"] <= 0) & (found["common_high"] >= 0)).mean() > 0.8
    assert (found["power"] > 0).all()


def test_what_images_share_without_being_true_is_found_and_filters_make_none():
    signal, shared, *noise = white("common", 10)
    images = signal + 0.7 * shared + np.array(noise)
    found = agreement(images, signal).iloc[5:]
    # powers 1, 0.49, 1: shares of 2.49. The chance correlation c of what is shared with the truth has a variance of
    # 1 / (2 m) in a ring, 0.03 on average here; its mean over 43 rings, half of them independent, a standard deviation
    # of 0.04. It moves the pair by 2 x 0.7 c (1 - 0.6) / 2.49, 0.009; what is in common by less
    assert found["pair"].mean() == pytest.approx(1.49 / 2.49, abs=0.04)
    assert found["common"].mean() == pytest.approx(0.49 / 2.49, abs=0.04)
    assert (found["common_low"] > 0).mean() > 0.9
    # a ring-wise filter (a Gaussian blur, periodic) leaves everything as it is
    blur = np.exp(-20 * np.add.outer(np.fft.fftfreq(EDGE) ** 2, np.fft.fftfreq(EDGE) ** 2))
    blurred = np.fft.ifft2(np.fft.fft2(images) * blur).real
    # the filter varies by 20 x 2 x 0.5 / 96 = 20 % across the widest ring
    after = agreement(blurred, signal, "none").iloc[5:]["common"]
    np.testing.assert_allclose(after, agreement(images, signal, "none").iloc[5:]["common"], atol=0.03)


def test_thresholds_and_crossings():
    # log2(1 + SNR) = 1/2 of the mean of two has each (sqrt 2 - 1) / 2; without end many pixels leave s / (1 + s), few 1
    assert half_bit(1e12) == pytest.approx(0.2071 / 1.2071, abs=1e-4)
    assert half_bit(np.array([0.1, 100.0])) == pytest.approx([1.0, (0.2071 + 0.19102) / (1.2071 + 0.09102)], abs=1e-4)
    frequency = np.array([1.0, 2.0, 3.0, 4.0])
    assert crossing(frequency, np.array([0.9, 0.4, 0.6, 0.1]), 0.5) == pytest.approx((1.8, 3.2))
    assert crossing(frequency, np.array([0.1, 0.9, 0.8, 0.9]), 0.5) == (0.0, np.inf)
    assert crossing(frequency, np.full(4, 0.1), 0.5) == (0.0, 0.0)
    assert crossing(frequency, np.ones(4), np.full(4, 0.5)) == (np.inf, np.inf)
    first, last = crossing(frequency, np.array([0.9, np.nan, 0.2, 0.1]), 0.5)
    assert first == last == 1.0


def test_what_has_no_rings_is_refused():
    images = white("refused", 3, 16)
    with pytest.raises(EmrestoreError, match="finite"):
        ring_products(images * np.nan)
    with pytest.raises(EmrestoreError, match="window"):
        ring_products(images, "box")
    with pytest.raises(EmrestoreError, match="three"):
        agreement(images[:2], images[0])
