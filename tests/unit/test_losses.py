import numpy as np
import pytest
import torch

from emrestore.train.losses import (
    WINDOWS,
    Settings,
    Weights,
    adversarial,
    discriminator,
    fourier_power,
    terms,
    total,
    whiten,
)


@pytest.mark.parametrize("window", [*WINDOWS, 3])
def test_whitening_is_that_of_each_pixels_window(window):
    image = torch.from_numpy(np.random.default_rng(0).random((40, 44)))[None, None]
    found = whiten(image, window, 1e-3)[0, 0].numpy()
    array = image[0, 0].numpy()
    for y, x in ((20, 21), (17, 30), (25, 9)):
        low = (window - 1) // 2
        part = array[y - low : y - low + window, x - low : x - low + window]
        # float64 sums of at most 256 numbers
        assert found[y, x] == pytest.approx((array[y, x] - part.mean()) / part.std(), abs=1e-9)


def test_whitening_is_blind_to_gain_and_offset():
    image = torch.from_numpy(np.random.default_rng(0).random((2, 1, 32, 32)))
    assert torch.allclose(whiten(3 * image + 100, 8, 1e-9), whiten(image, 8, 1e-9), atol=1e-8)


def test_flat_ground_is_divided_by_the_floor():
    image = torch.full((1, 1, 32, 32), 5.0)
    image[..., 16, 16] += 1e-3
    found = whiten(image, 4, 0.1)
    assert torch.isfinite(found).all()
    # deviation of one pixel among sixteen: below the floor, so (1 - 1/16) 1e-3 / 0.1, in the digits of 5 in float32
    assert float(found[..., 16, 16]) == pytest.approx(15 / 16 * 1e-2, abs=1e-5)


ALL = Weights(1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 1.0)
SETTINGS = Settings(floor=1e-3, power=0.125, fourier_floor=1e-4, log_floor=1e-2)


def pair(seed=0, shape=(3, 1, 24, 20)):
    generator = np.random.default_rng(seed)
    clean = torch.from_numpy(generator.random(shape))
    return clean + 0.1 * torch.from_numpy(generator.standard_normal(shape)), clean


class TestTerms:
    def test_each_is_its_equation(self):
        restored, clean = pair()
        found = terms(restored, clean, ALL, SETTINGS)
        a, b = restored[:, 0].numpy(), clean[:, 0].numpy()
        scale = 1 / b.std((1, 2), keepdims=True)
        spectrum = np.abs(np.fft.fft2(a - b, norm="ortho"))
        # no coefficient of this noise is below the floor
        assert spectrum.min() > SETTINGS.fourier_floor
        whitened = np.mean([np.abs(_white(restored, w) - _white(clean, w)).mean() for w in WINDOWS])
        expected = {
            "l1": (scale * np.abs(a - b)).mean(),
            "l2": (scale * (a - b) ** 2).mean(),
            "whitening": whitened,
            "fourier": (spectrum**0.125).mean(),
            "mean": np.abs(a.mean((1, 2)) - b.mean((1, 2))).mean(),
            "std": np.abs(a.std((1, 2)) - b.std((1, 2))).mean(),
            "log_rmse": 0.5 * np.log(((scale * (a - b)) ** 2).mean((1, 2)) + 1e-4).mean(),
        }
        assert set(found) == set(expected)
        for name, value in expected.items():
            # the transform is in float32, the rest in float64
            assert float(found[name]) == pytest.approx(value, rel=1e-6 if name == "fourier" else 1e-12), name

    def test_a_perfect_image_costs_nothing_but_the_continued_power(self):
        _, clean = pair()
        found = terms(clean, clean, ALL, SETTINGS)
        assert all(float(found[name]) == 0 for name in ("l1", "l2", "whitening", "mean", "std"))
        assert float(found["log_rmse"]) == pytest.approx(np.log(SETTINGS.log_floor))
        # 1 - γ/2 of the power at the floor
        assert float(found["fourier"]) == pytest.approx(SETTINGS.fourier_floor**0.125 * (1 - 0.125 / 2), rel=1e-5)

    @pytest.mark.parametrize("case", ["equal", "flat", "one"])
    def test_gradients_are_finite_everywhere(self, case):
        _, clean = pair(shape=(2, 1, 24, 24))
        if case == "flat":
            clean = torch.full_like(clean, 0.3)
        restored = (clean + (1e-9 if case == "one" else 0.0)).requires_grad_()
        total(terms(restored, clean, ALL, SETTINGS), ALL).backward()
        assert torch.isfinite(restored.grad).all()

    def test_the_continued_power_joins_smoothly(self):
        floor, power = 0.05, 0.125
        size = torch.linspace(0.02, 0.1, 801, dtype=torch.float64)
        # one coefficient: a constant image of 2 x 2 pixels has its sum over 2 in the orthonormal transform, all others
        # are zero and cost the same
        images = (size / 2).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)
        value = torch.stack([fourier_power(image[None], power, floor) for image in images]).double()
        slope = torch.diff(value) / torch.diff(size)
        # over a step of 1e-4 the slope, about γ f^(γ-1) / 4 = 0.4, changes by at most a few parts in a thousand; values
        # in float32, of 0.65, leave 4e-8 / 1e-4
        assert float(torch.diff(slope).abs().max()) < 4e-3
        exact = (0.75 * floor**power * (1 - power / 2)) + size[-1] ** power / 4
        assert float(value[-1]) == pytest.approx(float(exact), rel=1e-6)

    def test_weighted_l1_is_blind_to_gain(self):
        restored, clean = pair()
        only = Weights(1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        found = [float(terms(gain * restored, gain * clean, only, SETTINGS)["l1"]) for gain in (1.0, 0.2)]
        assert found[0] == pytest.approx(found[1], rel=1e-12)

    def test_of_the_logarithm_all_images_have_a_gradient_of_one_size(self):
        _, clean = pair()
        error = torch.from_numpy(np.random.default_rng(1).standard_normal(clean.shape))
        sizes = torch.tensor([0.05, 0.5, 5.0]).view(-1, 1, 1, 1)
        restored = (clean + sizes * error).requires_grad_()
        only = Weights(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0)
        terms(restored, clean, only, Settings(1e-3, 0.125, 1e-4, log_floor=1e-6))["log_rmse"].backward()
        # d log(rmse) of scaling all errors alike is one for each image, a third of the mean
        along = (restored.grad * sizes * error).sum(dim=(1, 2, 3))
        torch.testing.assert_close(along, torch.full_like(along, 1 / 3))

    def test_terms_are_summed_with_their_weights(self):
        restored, clean = pair()
        weights = Weights(2.0, 0.0, 0.5, 0.0, 3.0, 0.0, 0.0, 0.0)
        found = terms(restored, clean, weights, SETTINGS)
        assert set(found) == {"l1", "whitening", "mean"}
        expected = 2 * found["l1"] + 0.5 * found["whitening"] + 3 * found["mean"]
        assert float(total(found, weights)) == pytest.approx(float(expected))


def _white(images, window):
    return whiten(images, window, SETTINGS.floor)[:, 0].numpy()


class TestAdversarial:
    def test_terms_are_those_of_the_equations(self):
        real, fake = torch.randn(2, 4, 1, 5, 5, dtype=torch.float64).unbind(0)

        def d(of, against):
            return torch.sigmoid(of - against.mean())

        expected = -torch.log(1 - d(real, fake)).mean() - torch.log(d(fake, real)).mean()
        assert float(adversarial(real, fake)) == pytest.approx(float(expected), rel=1e-12)
        expected = -torch.log(d(real, fake)).mean() - torch.log(1 - d(fake, real)).mean()
        assert float(discriminator(real, fake)) == pytest.approx(float(expected), rel=1e-12)

    def test_certainty_does_not_overflow(self):
        real, fake = torch.full((1, 1, 3, 3), 1e4), torch.full((1, 1, 3, 3), -1e4)
        assert float(discriminator(real, fake)) == 0
        assert float(adversarial(real, fake)) == pytest.approx(4e4)

    def test_indifference_costs_two_bits_in_nats(self):
        same = torch.zeros(1, 1, 3, 3)
        assert float(discriminator(same, same)) == pytest.approx(2 * np.log(2))
