"""Every distortion against its theory: the comparisons of emrestore.distort.theory, and laws without statistics."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from emrestore.distort import fast_scan, mtf, noise, photomultiplier, resample
from emrestore.distort.annotation import Annotations
from emrestore.distort.cropping import Cropping
from emrestore.distort.dark_current import DarkCurrent, nonuniformity
from emrestore.distort.digitise import Rectification
from emrestore.distort.effect import Scene
from emrestore.distort.fast_scan import FastScan
from emrestore.distort.jitter import Jitter, displacements, series
from emrestore.distort.mtf import Mtf
from emrestore.distort.shot import Exposure
from emrestore.distort.spots import Spots, Zingers
from emrestore.distort.theory import MEASUREMENTS, compare
from emrestore.errors import EmrestoreError
from emrestore.rng import key


def scene(count: int, shape=(64, 64), maximum=1.0, electrons=100.0, pixel_size=0.1) -> Scene:
    return Scene(shape, *(torch.full((count,), value) for value in (pixel_size, maximum, maximum / 2, electrons)))


@pytest.fixture(scope="module")
def rows():
    return compare(key(7, "test_distort"))


@pytest.mark.parametrize("effect", [measure.__name__ for measure in MEASUREMENTS])
def test_effect_follows_its_theory(rows, effect):
    # 200 random comparisons: one in 3000 such tables has a deviation beyond five standard errors by chance, of the
    # normal kind; exact ones must keep within the bound that comes with them
    these = rows[rows["effect"] == effect]
    limit = these["scale"] * np.where(these["random"], 5, 1)
    wrong = these[(these["measured"] - these["theory"]).abs() > limit]
    assert len(these)
    assert wrong.empty, wrong.to_string()
    assert (these["scale"][these["random"]] > 0).all()


def test_deviations_are_as_large_as_chance_makes_them(rows):
    # too small would mean that the standard errors are too generous. The rows of one effect share noise (a covariance
    # at two lags, a mean and a variance), so the 12 effects rather than the 80 rows are independent: the mean square of
    # 12 normal numbers lies within 0.26 and 2.5 with a probability of 0.99
    random = rows[rows["random"]]
    z = (random["measured"] - random["theory"]) / random["scale"]
    assert 0.26 < (z**2).groupby(random["effect"]).mean().mean() < 2.5


class TestNoise:
    KEYS = noise.keys(key(7, "noise"), 16)

    @pytest.mark.parametrize("mean", [0.0, 0.01, 0.7, 5, 9.99, 10, 13, 40, 1000, 1e5])
    def test_poisson_is_the_quantile_at_the_uniform_number(self, mean):
        means = torch.full((16, 1, 64, 64), mean)
        number = noise.uniform(self.KEYS, 64 * 64, dtype=torch.float64).numpy()
        expected = stats.poisson.ppf(number, means[0, 0, 0, 0].item())
        assert np.array_equal(noise.poisson(self.KEYS, means).flatten(1).numpy(), np.maximum(expected, 0))

    def test_poisson_of_mixed_means_is_that_of_each(self):
        means = torch.linspace(0, 30, 64 * 64).view(1, 1, 64, 64).repeat(16, 1, 1, 1)
        number = noise.uniform(self.KEYS, 64 * 64, dtype=torch.float64).numpy()
        expected = stats.poisson.ppf(number, means.flatten(1).double().numpy())
        assert np.array_equal(noise.poisson(self.KEYS, means).flatten(1).numpy(), np.maximum(expected, 0))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
    def test_uniform_and_normal_have_their_distributions(self, dtype):
        # Kolmogorov and Smirnov's test rejects a true distribution once in 1e4 such tests
        uniform = noise.uniform(self.KEYS, 20000, dtype=dtype).double().numpy().ravel()
        normal = noise.normal(self.KEYS, 20001, dtype=dtype).double().numpy().ravel()
        assert stats.kstest(uniform, "uniform").pvalue > 1e-4
        assert stats.kstest(normal, "norm").pvalue > 1e-4
        assert uniform.min() > 0
        assert uniform.max() < 1

    def test_images_and_purposes_are_independent(self):
        # correlation of n pairs of normal numbers: standard error 1 / sqrt(n)
        fields = noise.normal(self.KEYS, 4096).double().numpy()
        others = noise.normal(noise.subkeys(self.KEYS, "other"), 4096).double().numpy()
        correlations = np.corrcoef(np.concatenate([fields, others]))[np.triu_indices(32, 1)] * 64
        assert np.abs(correlations).max() < 4.5  # of 496
        assert correlations.std() == pytest.approx(1, abs=4 / np.sqrt(2 * 496))

    def test_whole_numbers_are_uniform_and_include_both_ends(self):
        drawn = noise.whole(self.KEYS, (3, 7), 5000).numpy().ravel()
        assert stats.chisquare(np.bincount(drawn, minlength=8)[3:]).pvalue > 1e-4
        assert drawn.min() == 3
        assert drawn.max() == 7

    def test_choice_follows_its_weights(self):
        drawn = noise.choice(noise.keys(5, 8000), [0.25, 0.25, 0.5]).numpy()
        assert stats.chisquare(np.bincount(drawn), [2000, 2000, 4000]).pvalue > 1e-4


class TestExposure:
    def test_as_a_fraction_of_the_range_the_mean_is_that_of_the_truncated_exponential(self):
        # 0.5 + 749.5 t, t exponential with scale 1/2 on [0, 1]: mean (1/2) - e⁻² / (1 - e⁻²) = 0.3435, 258 e/px
        alpha = Exposure((0.5, 750), "exponential", 0.5, "range").sample(
            noise.keys(1, 40000), torch.full((40000,), 2.0)
        )
        mean = 0.5 + 749.5 * (0.5 - 1 / (np.e**2 - 1))
        assert float(2 * alpha.mean()) == pytest.approx(mean, abs=4 * 180 / 200)

    def test_as_a_dose_nearly_every_image_has_the_least(self):
        alpha = Exposure((0.5, 750), "exponential", 0.5, "electrons").sample(noise.keys(1, 40000), torch.ones(40000))
        assert float(alpha.mean()) == pytest.approx(1.0, abs=4 * 0.5 / 200)

    def test_log_uniform_doses_are_uniform_in_their_logarithm_whatever_the_intensity(self):
        alpha = Exposure((0.3, 1000), "log-uniform", 0.5, "range").sample(
            noise.keys(1, 20000), torch.full((20000,), 2.0)
        )
        share = np.log(2 * alpha.numpy() / 0.3) / np.log(1000 / 0.3)
        assert stats.kstest(share, "uniform").pvalue > 1e-4


class TestRectification:
    """Means of a folded and of a clipped normal deviate, N(mean, 1)."""

    MEANS = torch.tensor([0.0, 0.5, 1.5, 6.0])

    def noisy(self):
        field = noise.normal(noise.keys(2, 4), 1, 400, 400, dtype=torch.float64)
        return field + self.MEANS.view(-1, 1, 1, 1)

    @pytest.mark.parametrize(
        ("folded", "expected"),
        [
            (True, lambda m: 2 * stats.norm.pdf(m) + m * (2 * stats.norm.cdf(m) - 1)),
            (False, lambda m: stats.norm.pdf(m) + m * stats.norm.cdf(m)),
        ],
    )
    def test_means(self, folded, expected):
        image = Rectification.apply(self.noisy(), {"folded": torch.full((4,), folded)})
        # standard error of a mean of 160000 deviates of variance at most one
        np.testing.assert_allclose(image.mean((1, 2, 3)), expected(self.MEANS.numpy()), atol=4 / 400)
        assert image.min() >= 0

    def test_folded_as_often_as_asked(self):
        folded = Rectification(0.25).sample(noise.keys(3, 10000), scene(10000))["folded"]
        assert float(folded.float().mean()) == pytest.approx(0.25, abs=4 * np.sqrt(0.25 * 0.75 / 10000))


class TestJitter:
    def test_the_doubling_recursion_is_the_recursion_of_eq_41(self):
        a, phi = noise.normal(noise.keys(3, 2), 50, dtype=torch.float64), torch.tensor([0.3, 0.7]).double()
        expected = [a[:, 0] / torch.sqrt(1 - phi**2)]
        for k in range(1, 50):
            expected.append(phi * expected[-1] + a[:, k])
        # fifty additions in float64
        assert torch.allclose(series(a, phi), torch.stack(expected, 1), atol=1e-13, rtol=0)

    def test_sigma_in_angstrom_is_divided_by_the_pixel_size(self):
        jitter = Jitter({"x": 0, "y": 0, "xy": 1}, (0.8, 0.8), (0.4, 0.4), (0, 0), "row")
        drawn = jitter.sample(noise.keys(1, 3), scene(3, pixel_size=0.2))
        assert torch.allclose(drawn["sigma_x"], torch.tensor(4.0))
        assert torch.allclose(drawn["sigma_y"], torch.tensor(2.0))

    def test_axes_occur_as_often_as_their_weights_say(self):
        jitter = Jitter({"x": 0.25, "y": 0.25, "xy": 0.5}, (0.1, 0.8), (0.1, 0.8), (0, 0.7), "row")
        drawn = jitter.sample(noise.keys(1, 8000), scene(8000))
        moves = [
            ((drawn["sigma_x"] > 0) & (drawn["sigma_y"] == 0)).sum(),
            ((drawn["sigma_x"] == 0) & (drawn["sigma_y"] > 0)).sum(),
            ((drawn["sigma_x"] > 0) & (drawn["sigma_y"] > 0)).sum(),
        ]
        assert stats.chisquare(np.array(moves), [2000, 2000, 4000]).pvalue > 1e-4

    @pytest.mark.parametrize("index", [0, 1])
    def test_the_image_is_read_where_the_probe_was(self, index):
        # a ramp is reproduced exactly by cubic convolution, so its values tell the places: rounding of 200 in float32
        parameters = {name: torch.tensor([0.5]) for name in ("sigma_x", "sigma_y", "phi_x", "phi_y")}
        parameters |= {"index": torch.tensor([index]), "key": torch.tensor([9])}
        y, x = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
        dy, dx = displacements(parameters, (64, 64))
        for ramp, move in ((y, dy[0][:, None]), (x, dx[0] if index else dx[0][:, None])):
            moved = Jitter.apply(ramp[None, None], parameters)[0, 0]
            inside = slice(8, -8)
            assert (moved - ramp - move)[inside, inside].abs().max() < 1e-4

    def test_rows_move_as_a_whole_unless_pixels_are_asked_for(self):
        one = {name: torch.tensor([0.5]) for name in ("sigma_x", "sigma_y", "phi_x", "phi_y")} | {
            "key": torch.tensor([9])
        }
        assert displacements(one | {"index": torch.tensor([0])}, (8, 6))[1].shape == (1, 8)
        assert displacements(one | {"index": torch.tensor([1])}, (8, 6))[1].shape == (1, 8, 6)


class TestResampling:
    IMAGE = noise.uniform(noise.keys(4, 2), 1, 32, 40)

    def test_zero_displacement_is_the_identity(self):
        still = torch.zeros(2, 32)
        assert torch.equal(resample.shift_rows(self.IMAGE, still, still), self.IMAGE)
        y, x = torch.meshgrid(torch.arange(32.0), torch.arange(40.0), indexing="ij")
        assert torch.equal(resample.at(self.IMAGE, y.expand(2, -1, -1), x.expand(2, -1, -1)), self.IMAGE)

    def test_rows_and_free_places_agree(self):
        dy, dx = 9 * noise.normal(noise.keys(5, 2), 32), 9 * noise.normal(noise.keys(6, 2), 32)
        y = (torch.arange(32.0) + dy)[..., None].expand(2, 32, 40)
        x = torch.arange(40.0) + dx[..., None]
        rows = resample.shift_rows(self.IMAGE, dy, dx)
        # offsets between pixels differ by the rounding of places near 50 in float32, 4e-6, times slopes below 2
        assert torch.allclose(resample.at(self.IMAGE, y, x), rows, atol=2e-5)

    def test_whole_displacements_are_mirrored_at_the_borders(self):
        moved = resample.shift_rows(self.IMAGE, torch.full((2, 32), -3.0), torch.zeros(2, 32))
        assert torch.equal(moved[..., 3:, :], self.IMAGE[..., :-3, :])
        assert torch.equal(moved[..., :3, :], self.IMAGE[..., :3, :].flip(-2))

    def test_weights_sum_to_one_and_keep_a_parabola(self):
        s = torch.linspace(0, 1, 11, dtype=torch.float64)
        taps = torch.stack(resample.weights(s))
        places = torch.tensor(resample.TAPS, dtype=torch.float64)[:, None]
        for power in (0, 1, 2):
            assert torch.allclose((taps * places**power).sum(0), s**power, atol=1e-15)


class TestPhotomultiplier:
    DETECTOR = ((100.0, 100.0), 1.0, (0.2, 0.2), (4.0, 4.0), 1e6)

    def test_relative_width_by_hand(self):
        # (1 - 0.2 + 1/3) / (100 x 0.2) + 100 / 100² = 0.0666...: 0.258
        one = [torch.tensor([value]) for value in (100.0, 0.2, 4.0, 100.0)]
        assert float(photomultiplier.relative_width(*one)) == pytest.approx(np.sqrt(0.2 / 3), rel=1e-6)

    def test_the_printed_variant_adds_anode_electrons_whatever_the_signal(self):
        detector = photomultiplier.Photomultiplier(*self.DETECTOR, "constant")
        drawn = detector.sample(noise.keys(1, 4), None)
        sigma = 100 * 0.2 * 1e6 * np.sqrt(0.2 / 3)
        for level in (0.0, 50.0):
            spread = float((detector.apply(torch.full((4, 1, 64, 64), level), drawn) - level).double().std())
            assert spread == pytest.approx(sigma, rel=5 / np.sqrt(2 * 4 * 64**2))

    def test_no_electrons_give_no_signal(self):
        detector = photomultiplier.Photomultiplier(*self.DETECTOR, "per electron")
        assert not detector.apply(torch.zeros(4, 1, 16, 16), detector.sample(noise.keys(1, 4), None)).any()


class TestFastScan:
    @staticmethod
    def parameters(flyback=0, readout=True, **times):
        values = {"detector": 0.8, "decay": 1.5, "period": 9.0, "phase": 0.4} | times
        drawn = {name: torch.tensor([value]) for name, value in values.items()}
        return drawn | {"flyback": torch.tensor([flyback]), "readout": torch.tensor([readout])}

    def test_corrected_normalisation_of_the_readout(self):
        # the factor of the module's text against quadrature of Eq. 49
        beta, gamma, theta = 1.5, 9.0, 0.4
        a = (gamma**2 + 4 * np.pi**2 * beta**2) / (
            beta * gamma * (gamma * np.sin(theta) + 2 * np.pi * beta * np.cos(theta))
        )
        integral = integrate.quad(
            lambda x: a * np.exp(-x / beta) * np.sin(2 * np.pi * x / gamma + theta), 0, 60, limit=200
        )
        assert integral[0] == pytest.approx(1, abs=1e-9)

    def test_the_tail_is_as_long_as_its_parameter(self):
        # beyond x the half Lorentzian keeps 1 - (2/π) atan(x / w); the first 64 weights lack its mean over a pixel
        for width in (0.3, 1.0, 4.0):
            weights = fast_scan.response(self.parameters(detector=width, readout=False), 64)[0].double()
            lacking = integrate.quad(lambda x, w=width: 1 - 2 / np.pi * np.arctan(x / w), 63, 64)[0]
            assert float(1 - weights.sum()) == pytest.approx(lacking, abs=64 * 6e-8)

    def test_parameters_scale_with_dwell_time(self):
        times = {"detector_time": (0.05, 0.05), "decay_time": (0.1, 0.1), "period": (1.0, 1.0)}
        lengths = [
            FastScan((dwell, dwell), phase=(0.4, 0.4), readout=True, flyback="parked", **times).sample(
                noise.keys(1, 1), None
            )
            for dwell in (0.1, 0.4)
        ]
        for name, time in (("detector", 0.05), ("decay", 0.1), ("period", 1.0)):
            assert float(lengths[0][name]) == pytest.approx(time / 0.1, rel=1e-5)
            assert float(lengths[1][name]) == pytest.approx(time / 0.4, rel=1e-5)

    def test_no_pixel_takes_more_electrons_than_the_beam_brings(self):
        # 5000 e/µs at most: of (0.3, 30, 3e4, 3e6) electrons per pixel the last two take at least 6 and 600 µs
        electrons = torch.tensor([0.3, 30.0, 3e4, 3e6]).repeat_interleave(500)
        scene = Scene((8, 8), torch.ones(2000), torch.ones(2000), torch.ones(2000), electrons)
        ranges = {"detector_time": (0.05, 0.05), "decay_time": (0.1, 0.1), "period": (1.0, 1.0), "phase": (0.4, 0.4)}
        free, bound = (
            FastScan((0.05, 20.0), readout=True, flyback="parked", current=current, **ranges).sample(
                noise.keys(1, 2000), scene
            )
            for current in (None, 5000.0)
        )
        dwell = bound["dwell_time"].reshape(4, 500)
        assert torch.allclose(dwell[:2], free["dwell_time"].reshape(4, 500)[:2], rtol=1e-5)
        # the least of 500 that are log-uniform from 6 to 20 µs is above 6.1 once in a thousand seeds
        assert 6 * (1 - 1e-5) <= dwell[2].min() <= 6.1
        assert 19.5 <= dwell[2].max() <= 20 * (1 + 1e-5)
        assert torch.allclose(dwell[3], torch.tensor(600.0), rtol=1e-5)
        assert torch.allclose(bound["detector"] * bound["dwell_time"], torch.tensor(0.05), rtol=1e-5)

    def test_a_long_dwell_leaves_the_image_alone(self):
        # at lags of 1e-4 px the half Lorentzian moves (2/π) w ln(1/w), 6e-4, from a pixel to those after it
        image = noise.uniform(noise.keys(4, 1), 1, 16, 64)
        lag = self.parameters(detector=1e-4, decay=1e-4, period=1e-3)
        assert (FastScan.apply(image, lag) - image).abs().max() < 2e-3

    def test_effects_follow_causes(self):
        image = torch.zeros(1, 1, 4, 64)
        image[..., 30] = 1
        assert FastScan.apply(image, self.parameters())[..., :30].abs().max() < 1e-6  # rounding of the transforms

    def test_without_flyback_a_row_starts_with_the_tail_of_the_last(self):
        image = torch.zeros(1, 1, 3, 64)
        image[..., 1, 63] = 1
        parked, continued = (FastScan.apply(image, self.parameters(flyback=number)) for number in (0, 1))
        weights = fast_scan.response(self.parameters(), 128)[0]
        assert parked[..., 2, :].abs().max() == 0
        assert torch.allclose(continued[0, 0, 2], weights[1:65], atol=1e-6)
        assert torch.allclose(continued[..., 1, :], parked[..., 1, :], atol=1e-6)


class TestCamera:
    def test_drawn_transfer_functions_are_positive_and_fall(self):
        drawn = Mtf((0.1, 1.5), (0.05, 0.6), (0.4, 1.5)).sample(noise.keys(2, 300), scene(300))
        # where float64 carries both Gaussians of Eq. 29; beyond, both are zero to its precision
        g = torch.linspace(0, 10, 1000, dtype=torch.float64)
        curves = mtf.radial(g, *(drawn[name].double()[:, None] for name in "abc"))
        seen = curves > 1e-12
        assert (curves >= 0).all()
        assert (torch.diff(curves)[seen[:, 1:]] < 0).all()

    def test_transfer_functions_that_rise_are_not_drawn(self):
        # a > 1 and b < c: the negative second Gaussian outlives the first
        assert not mtf.valid(*(torch.tensor([value]) for value in (1.3, 0.2, 0.8))).item()
        assert mtf.valid(*(torch.tensor([value]) for value in (1.3, 0.8, 0.2))).item() is False
        assert mtf.valid(*(torch.tensor([value]) for value in (1.05, 0.8, 0.4))).item()

    def test_ranges_without_any_are_refused_by_name(self):
        with pytest.raises(EmrestoreError, match="positive and decreasing"):
            Mtf((2, 3), (0.1, 0.2), (1, 2)).sample(noise.keys(2, 4), scene(4))

    def test_hot_pixels_are_few_and_within_their_range(self):
        drawn = DarkCurrent((2.0, 2.0), (0.1, 0.1), (0.01, 0.01)).sample(noise.keys(1, 16), None)
        current = nonuniformity(drawn, (1, 128, 128)).numpy()
        hot = current > 3.5  # 2 + 7.5 σ, above all of the log-normal body
        n = current.size
        assert abs(hot.sum() - 0.01 * n) < 4 * np.sqrt(0.01 * n)
        # body about 2 ± 4.5 σ, excess between 2 + 5 σ and 2 + 8 σ
        assert current[hot].min() > 3.9
        assert current[hot].max() < 7

    def test_hot_pixels_stay_where_they_are_from_frame_to_frame(self):
        camera = DarkCurrent((2.0, 2.0), (0.3, 0.3), (0.01, 0.01))
        first, second = (camera.sample(noise.keys(number, 1), None) for number in (1, 2))
        second["camera"] = first["camera"]
        assert torch.equal(nonuniformity(first, (1, 32, 32)), nonuniformity(second, (1, 32, 32)))
        dark = torch.zeros(1, 1, 32, 32)
        assert not torch.equal(DarkCurrent.apply(dark, first), DarkCurrent.apply(dark, second))


class TestSpots:
    def test_clusters_are_connected_and_no_longer_than_their_walk(self):
        from scipy.ndimage import label

        drawn = Spots((1, 1), (12, 12), (0.2, 0.2)).sample(noise.keys(1, 50), scene(50))
        for image in Spots.apply(torch.ones(50, 1, 64, 64), drawn)[:, 0].numpy():
            black = image < 1
            assert label(black)[1] == 1
            assert 1 <= black.sum() <= 13
            assert np.allclose(image[black], 0.2)

    def test_walks_spread_as_random_walks_do(self):
        # twelve unit steps: mean square extent 12 of the last place; here the farthest pixel, at least that on average
        drawn = Spots((1, 1), (12, 12), (0.0, 0.0)).sample(noise.keys(1, 400), scene(400))
        drawn["y"], drawn["x"] = torch.full_like(drawn["y"], 32), torch.full_like(drawn["x"], 32)
        black = Spots.apply(torch.ones(400, 1, 64, 64), drawn)[:, 0].numpy() == 0
        y, x = np.mgrid[-32:32, -32:32]
        farthest = np.where(black, y**2 + x**2, 0).max(axis=(1, 2))
        assert farthest.mean() > 12 - 4 * 12 / np.sqrt(400)

    def test_zingers_multiply_or_add(self):
        image = torch.zeros(1, 1, 16, 16)
        image[..., 8:] = 10
        for addition, dark in (("multiplied", 0.0), ("added", 3 * 100.0)):
            drawn = Zingers((1, 1), (0, 0), (3.0, 3.0), addition).sample(noise.keys(1, 1), scene(1, (16, 16)))
            drawn["y"][:], drawn["x"][:] = 2, 2
            assert float(Zingers.apply(image, drawn)[0, 0, 2, 2]) == pytest.approx(dark)
            drawn["x"][:] = 12
            bright = 30 if addition == "multiplied" else 310
            assert float(Zingers.apply(image, drawn)[0, 0, 2, 12]) == pytest.approx(bright)


class TestProcessing:
    def test_cropping_keeps_the_central_half(self):
        drawn = Cropping(0.5, 1.0, 0.0, {"constant": 1, "median": 0}).sample(noise.keys(1, 200), scene(200, (40, 60)))
        kept = Cropping.apply(torch.full((200, 1, 40, 60), 9.0), drawn)[:, 0] == 9
        edge = (1 - np.sqrt(0.5)) / 2
        y, x = int(edge * 40), int(edge * 60)
        assert kept[:, y : 40 - y, x : 60 - x].all()
        assert not kept.all()

    def test_cropping_fills_with_the_median_where_asked(self):
        drawn = Cropping(0.5, 1.0, 0.0, {"constant": 0, "median": 1}).sample(noise.keys(1, 4), scene(4, maximum=3.0))
        assert torch.allclose(drawn["level"], torch.tensor(1.5))

    def test_borders_aslant_keep_the_disc_of_the_central_area(self):
        drawn = Cropping(0.4, 1.0, 1.0, {"constant": 1, "median": 0}).sample(noise.keys(1, 200), scene(200, (40, 60)))
        kept = Cropping.apply(torch.full((200, 1, 40, 60), 9.0), drawn)[:, 0] == 9
        y, x = torch.meshgrid(torch.arange(40) - 19.5, torch.arange(60) - 29.5, indexing="ij")
        assert kept[:, (y**2 + x**2) * np.pi <= min(0.4 * 40 * 60, np.pi * 20**2)].all()
        # that no border reaches a pixel's centre has a probability of about (0.5 / 8)^4
        assert not kept.flatten(1).all(dim=1).any()

    def test_borders_aslant_fill_half_planes_of_their_angle(self):
        drawn = Cropping(0.4, 0.5, 1.0, {"constant": 1, "median": 0}).sample(noise.keys(1, 1), scene(1))
        drawn["angle"], drawn["distance"] = torch.tensor([np.pi / 6]), torch.tensor([[99.0, 10.0, 99.0, 99.0]])
        kept = Cropping.apply(torch.full((1, 1, 64, 64), 9.0), drawn)[0, 0] == 9
        y, x = torch.meshgrid(torch.arange(64) - 31.5, torch.arange(64) - 31.5, indexing="ij")
        # borders are crossed in turn on the way up the first axis, 30° from x to y, and up the second, and down both
        assert torch.equal(kept, y * np.cos(np.pi / 6) - x * np.sin(np.pi / 6) <= 10)

    def test_turning_changes_nothing_else_that_is_drawn(self):
        level, aslant = (
            Cropping(0.5, 0.5, turned, {"constant": 1, "median": 1}).sample(noise.keys(1, 400), scene(400))
            for turned in (0.0, 0.3)
        )
        turned = aslant["angle"] > 0
        assert abs(turned.sum() - 120) < 4 * np.sqrt(400 * 0.3 * 0.7)
        for name, values in aslant.items():
            assert torch.equal(values[~turned], level[name][~turned])
        assert torch.equal(aslant["level"], level["level"])
        assert (torch.stack([aslant[side] for side in ("top", "bottom", "left", "right")])[:, turned] == 0).all()

    @pytest.mark.parametrize("kind", ["text", "ellipse", "rectangle", "arrow"])
    def test_annotations_cover_pixels_with_their_level_only(self, kind):
        weights = dict.fromkeys(("text", "ellipse", "rectangle", "arrow"), 0) | {kind: 1}
        drawn = Annotations((1, 1), weights, (0.1, 0.2), (2, 3), 0.0, (0, 180), 1.0).sample(
            noise.keys(3, 40), scene(40)
        )
        drawn["y"][:], drawn["x"][:] = 32, 20
        painted = Annotations.apply(torch.full((40, 1, 64, 64), 0.5), drawn)
        level = drawn["level"][:, 0].view(-1, 1, 1, 1)
        covered = (painted - 0.5) / (level - 0.5)
        assert covered.min() >= -1e-6
        assert covered.max() <= 1 + 1e-6
        # each item is seen, and none fills the image
        area = covered.flatten(1).sum(1)
        assert (area > 3).all()
        assert (area < 0.3 * 64**2).all()

    def test_a_filled_ellipse_has_its_area(self):
        drawn = Annotations(
            (1, 1), {"text": 0, "ellipse": 1, "rectangle": 0, "arrow": 0}, (0.25, 0.25), (2, 2), 1.0, (0, 0), 1.0
        ).sample(noise.keys(3, 20), scene(20))
        drawn["y"][:], drawn["x"][:] = 32, 32
        painted = Annotations.apply(torch.full((20, 1, 64, 64), 0.5), drawn)
        covered = ((painted - 0.5) / (drawn["level"][:, 0].view(-1, 1, 1, 1) - 0.5)).flatten(1).sum(1)
        # smooth edges are half outside, half inside: the error is that of the distance along the longer axis' ends,
        # less than half a pixel of the circumference's curvature
        area = np.pi * drawn["length"][:, 0] * drawn["width"][:, 0]
        assert ((covered / area - 1).abs() < 0.04).all()
