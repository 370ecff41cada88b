"""Atoms' profiles, their sum over a specimen, and the intensity steps: against closed forms and direct evaluation."""

import dataclasses

import numpy as np
import pytest
from scipy import integrate

from emrestore.errors import EmrestoreError
from emrestore.image import intensity, profiles
from emrestore.image.render import render
from emrestore.rng import stream

RANGES = profiles.Ranges((0.75, 1.25), (4.0, 16.0), (0.5, 1.0), (1.0, 2.0), "sorted")
STEPS = intensity.Ranges(0.5, 0.5, (0.5, 1.5), 0.5, (0.0, 0.5), (0.0, 0.5), (0.2, 0.6), (0.01, 0.35))


def drawn(number: int, count: int = 6, ranges=RANGES):
    generator = stream(1, "test_image", number)
    return profiles.sample(ranges, generator.choice(np.arange(1, 104), count, replace=False), generator)[0]


class TestProfiles:
    def test_radii_are_those_of_the_projected_potentials(self):
        # numerical integration of abTEM's projected potentials, done once: Pt 0.48383, H 0.420, Cs 1.926, Ne 0.162 Å²
        square = profiles.potential_radii() ** 2
        assert square[78 - 1] == pytest.approx(0.48383, abs=1e-4)
        assert [round(square[z - 1], 3) for z in (1, 55, 10)] == [0.420, 1.926, 0.162]

    @pytest.mark.parametrize("exponent", [0.75, 1.0, 1.25])
    def test_mean_and_spread_over_the_elements_stay(self, exponent):
        plain, bent = profiles.potential_radii(), profiles.radii(exponent)
        assert bent.mean() == pytest.approx(plain.mean(), rel=1e-12)
        assert bent.std() == pytest.approx(plain.std(), rel=1e-12)
        assert (np.argsort(bent) == np.argsort(plain)).all()
        assert bent.min() > 0

    def test_integrated_intensity_is_the_integral(self):
        some = drawn(1)
        for kind, expected in enumerate(some.intensity()):
            found = integrate.quad(lambda r, k=kind: 2 * np.pi * r * some.only(k)(r)[0], 0, 60, limit=400)[0]
            assert found == pytest.approx(expected, rel=1e-6)

    @pytest.mark.parametrize("ordering", ["sorted", "power"])
    def test_heavier_elements_are_brighter_in_every_specimen(self, ordering):
        for number in range(300):
            some = drawn(number, 1 + number % 16, dataclasses.replace(RANGES, ordering=ordering))
            assert (np.diff(some.numbers) > 0).all()
            assert (np.diff(some.intensity()) > 0).all()

    def test_the_power_law_is_the_one_drawn(self):
        ranges = dataclasses.replace(RANGES, ordering="power", power=(1.7, 1.7))
        some = drawn(3, 5, ranges)
        assert np.allclose(some.intensity() / some.intensity()[0], (some.numbers / some.numbers[0]) ** 1.7)

    def test_a_drawn_profile_is_that_of_eq_17(self):
        one = profiles.Profiles(np.array([6]), np.array([0.7]), np.array([5.0]), np.array([[0.6, 0.7, 0.8]]))
        r = 0.9
        expected = 0.6 * np.exp(-(r**2) / (2 * 0.49)) + 0.7 * np.exp(-r / 0.7) + 0.8 / (1 + (r / 0.7) ** 10)
        assert one(np.array([r]))[0, 0] == pytest.approx(expected, rel=1e-12)

    @pytest.mark.parametrize(
        ("field", "wrong"), [("exponent", (0, 1)), ("order", (1, 4)), ("weight", (1, 0.5)), ("ordering", "other")]
    )
    def test_impossible_ranges_are_named(self, field, wrong):
        with pytest.raises(EmrestoreError, match=field):
            profiles.check(dataclasses.replace(RANGES, **{field: wrong}))


def directly(positions, numbers, some, shape, pixel_size):
    y, x = np.mgrid[: shape[0], : shape[1]] * pixel_size
    image = np.zeros(shape)
    for kind, z in enumerate(some.numbers):
        for place in positions[numbers == z]:
            image += some.only(kind)(np.hypot(x - place[0], y - place[1]))[0]
    return image


class TestRender:
    @pytest.mark.parametrize("pixel_size", [0.025, 0.033, 0.05, 0.1, 0.15, 0.2, 0.34, 0.36, 0.5, 0.7, 0.9])
    def test_the_sum_is_right_to_a_thousandth_of_its_peak(self, pixel_size):
        shape = (48, 61)
        for number, count in ((0, 1), (1, 3), (2, 60)):
            some, generator = drawn(number), stream(1, "test_render", number, pixel_size)
            extent = np.array(shape[::-1]) * pixel_size
            positions = generator.uniform(-3, extent + 3, (count, 2)) if number else extent[None] * 0.503
            numbers = generator.choice(some.numbers, count)
            expected = directly(positions, numbers, some, shape, pixel_size)
            found = render(positions, numbers, some, shape, pixel_size)
            assert np.abs(found - expected).max() < 1e-3 * expected.max()

    def test_a_shift_by_whole_pixels_shifts_the_image(self):
        some, generator = drawn(4), stream(1, "test_render", "shift")
        positions, numbers = generator.uniform(2, 6, (20, 2)), generator.choice(some.numbers, 20)
        here = render(positions, numbers, some, (64, 64), 0.13)
        there = render(positions + 0.13 * np.array([5, 3]), numbers, some, (64, 64), 0.13)
        assert np.abs(there[3:, 5:] - here[:-3, :-5]).max() < 1e-3 * here.max()

    def test_the_image_is_linear_in_its_atoms(self):
        some, generator = drawn(5), stream(1, "test_render", "linear")
        positions, numbers = generator.uniform(0, 8, (30, 2)), generator.choice(some.numbers, 30)
        parts = [render(positions[part], numbers[part], some, (40, 40), 0.2) for part in (slice(9), slice(9, None))]
        assert np.allclose(sum(parts), render(positions, numbers, some, (40, 40), 0.2), atol=1e-3 * parts[1].max())

    def test_no_atoms_give_an_empty_image(self):
        assert not render(np.empty((0, 2)), np.empty(0, int), drawn(1), (32, 32), 0.1).any()

    def test_intensity_is_conserved(self):
        # the pixels sum to the closed form less what ends beyond the field, (1 + x) exp(-x) at x = r / r_m > 11: 2e-4;
        # sampling at 0.1 Å errs at the cusp by about (pixel / r_m)³ / 20, 1e-4
        some = drawn(6, 3)
        image = render(np.full((3, 2), 20.013), some.numbers, some, (400, 400), 0.1)
        assert image.sum() * 0.01 == pytest.approx(some.intensity().sum(), rel=1e-3)


class TestIntensity:
    IMAGE = np.random.default_rng(0).gamma(2.0, size=(40, 56))

    def test_clean_images_keep_their_range(self):
        low, high = STEPS.contrast
        for number in range(400):
            parameters = intensity.sample(STEPS, stream(1, "test_intensity", number))
            image = intensity.apply(self.IMAGE, parameters).astype(float)
            assert np.isfinite(image).all()
            assert image.min() >= 0
            assert image.max() == 1
            # float32 rounding of a mean and a deviation
            assert low * 0.999 < image.std() / image.mean() < high * 1.001

    def test_steps_occur_as_often_as_configured(self):
        steps = [intensity.sample(STEPS, stream(1, "test_intensity", number)) for number in range(2000)]
        for share in (
            np.mean([step["inverted"] for step in steps]),
            np.mean([step["power"] != 1 for step in steps]),
            np.mean([step["background"] == "plane" for step in steps]),
        ):
            assert abs(share - 0.5) < 4.5 * 0.5 / np.sqrt(2000)

    def test_inversion_alone_is_eq_23(self):
        ranges = dataclasses.replace(
            STEPS, inverted=1.0, bent=0.0, plane=1.0, plane_height=(0.0, 0.0), contrast=(1e-6, 1e6)
        )
        image = intensity.apply(self.IMAGE, intensity.sample(ranges, stream(1, "a")))
        expected = self.IMAGE.max() - self.IMAGE
        assert np.allclose(image, expected / expected.max(), atol=1e-6)

    def test_contrast_out_of_range_becomes_the_drawn_one(self):
        ranges = dataclasses.replace(
            STEPS, inverted=0.0, bent=0.0, plane=1.0, plane_height=(0.0, 0.0), contrast=(0.1, 0.2)
        )
        parameters = intensity.sample(ranges, stream(1, "b"))
        image = intensity.apply(self.IMAGE, parameters).astype(float)
        assert image.std() / image.mean() == pytest.approx(parameters["contrast"], rel=1e-5)

    @pytest.mark.parametrize("wrong", [np.ones((9, 9)), -np.eye(9), np.eye(9) * np.nan])
    def test_images_without_a_clean_form_are_refused(self, wrong):
        with pytest.raises(EmrestoreError, match="finite, not negative and not constant"):
            intensity.apply(wrong, intensity.sample(STEPS, stream(1, "c")))

    @pytest.mark.parametrize(
        ("field", "wrong"), [("contrast", (0.0, 0.3)), ("inverted", 1.2), ("plane_height", (0.5, 0.1))]
    )
    def test_impossible_ranges_are_named(self, field, wrong):
        with pytest.raises(EmrestoreError, match=field):
            intensity.check(dataclasses.replace(STEPS, **{field: wrong}))
