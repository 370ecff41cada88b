"""Sums of profiles against multislice: the comparison on images whose answer is known, and a layer where both agree."""

import numpy as np
import pandas as pd
import pytest

from emrestore.errors import EmrestoreError
from emrestore.image.profiles import Profiles, Ranges, radii, sample
from emrestore.image.render import render
from emrestore.realism import (
    CRYSTALS,
    FACTORS,
    Sizes,
    _some_of_each,
    cell_of,
    column_intensities,
    columns_of,
    compare,
    correlation,
    failures,
    fit,
    linear_coefficients,
    multislice_images,
    orbits,
    peaked,
    power_of_z,
    rank_agreement,
    reflections,
    spectrum_error,
    transforms,
)
from emrestore.rng import stream

OPTICS = {
    "energy": 300, "semi_angle": 21, "c30": 0, "defocus": 0, "detector_inner": 60, "detector_outer": 100,
    "source_hwhm": 0.45,
}  # fmt: skip
RANGES = Ranges((0.75, 1.25), (4.0, 16.0), (0.5, 1.0), (1.0, 2.0), "power")
SHAPE = (16, 16)


def linear(name, number=0, shape=SHAPE):
    """A crystal, its reflections and the coefficients of one drawn sum of profiles."""
    cell = cell_of(name)
    where = reflections(cell, shape, 300, 21)
    profiles = sample(RANGES, cell.numbers, stream(3, "test_realism", name, number))[0]
    return cell, where, profiles, linear_coefficients(cell, profiles, where)


@pytest.mark.parametrize("name", CRYSTALS)
def test_cells_are_the_crystals(name):
    cell = cell_of(name)
    lengths = cell.cell.lengths()
    assert np.allclose(cell.cell, np.diag(lengths), atol=1e-9)
    # the same crystal as was built: formula and density, whichever way it is cut
    built = CRYSTALS[name].build()
    assert cell.get_volume() / len(cell) == pytest.approx(built.get_volume() / len(built), rel=1e-9)
    assert np.allclose(np.unique(cell.numbers, return_counts=True)[1] / len(cell),
                       np.unique(built.numbers, return_counts=True)[1] / len(built))  # fmt: skip
    # neither atom on atom nor, five displacements off the surface, out of the first slice
    repeated = cell * (2, 2, 2)
    distances = repeated.get_all_distances(mic=True)[np.triu_indices(len(repeated), 1)]
    assert 1.4 < distances.min() < 3.0
    assert 5 * CRYSTALS[name].phonon_rms < cell.positions[:, 2].min() + 0.25
    assert cell.positions[:, 2].max() < lengths[2]


def test_distances_are_those_of_the_literature():
    # Å: C-C in graphite and diamond, Si-Si, Mo-S, Ce-O, and the short Ti-O bond of PbTiO3 (1.77, Nelmes and Kuhs 1985)
    def bond(name, one, other):
        cell = cell_of(name) * (3, 3, 2)
        first, second = (np.flatnonzero(cell.symbols == symbol) for symbol in (one, other))
        distances = cell.get_all_distances(mic=True)[np.ix_(first, second)]
        return distances[distances > 0.1].min()

    assert bond("graphite", "C", "C") == pytest.approx(1.421, abs=0.005)
    assert bond("C", "C", "C") == pytest.approx(1.545, abs=0.005)
    assert bond("Si", "Si", "Si") == pytest.approx(2.352, abs=0.005)
    assert bond("MoS2", "Mo", "S") == pytest.approx(2.41, abs=0.02)
    assert bond("CeO2", "Ce", "O") == pytest.approx(2.343, abs=0.005)
    assert bond("PbTiO3", "Ti", "O") == pytest.approx(1.77, abs=0.02)


def test_an_unknown_crystal_is_refused():
    with pytest.raises(EmrestoreError, match=r"no crystal 'Unobtainium'.*Al"):
        cell_of("Unobtainium")


def test_transforms_at_zero_are_the_integrated_intensities():
    # both exact but for the quadrature, whose nodes leave 1e-6 even at the edge of order 16
    profiles = sample(RANGES, [8, 22, 38], stream(1, "test_realism"))[0]
    assert transforms(profiles, np.zeros(1))[:, 0] == pytest.approx(profiles.intensity(), rel=1e-6)


def test_a_gaussian_transforms_to_a_gaussian():
    one = Profiles(np.array([6]), np.array([0.7]), np.array([5.0]), np.array([[1.0, 0.0, 0.0]]))
    g = np.linspace(0, 2, 9)
    expected = 2 * np.pi * 0.7**2 * np.exp(-2 * (np.pi * 0.7 * g) ** 2)
    assert transforms(one, g)[0] == pytest.approx(expected, abs=1e-6 * expected[0])


def test_coefficients_are_those_of_the_rendered_image():
    # Square cell on whole pixels, 40 a side. Atoms 14 Å beyond the image leave exp(-14/1.4) of a peak each, and render
    # promises a thousandth of the peak; an average over the cell of that error is below it
    cell, where, profiles, parts = linear("SrTiO3", shape=(40, 40))
    edge = cell.cell.lengths()[0]
    many = cell * (9, 9, 1)
    image = render(many.positions[:, :2] - 4 * edge, many.numbers, profiles, (40, 40), edge / 40)
    found = np.fft.fft2(image) / image.size
    assert np.abs(found - parts.sum(0))[where.kept].max() < 1e-3 * image.max()


def test_an_image_compared_with_itself_agrees_in_everything():
    cell, where, _, parts = linear("SrTiO3")
    image, columns = parts.sum(0), columns_of(cell)
    intensity = column_intensities(image, columns, where)
    # scale and a constant do not count; exact but for rounding
    other = 3 * image
    other[0, 0] += 5
    assert correlation(image, other, where) == pytest.approx(1, abs=1e-12)
    assert spectrum_error(image, other, where) == pytest.approx(0, abs=1e-12)
    assert rank_agreement(intensity, column_intensities(other, columns, where)) == 1
    assert correlation(image, -image, where) == pytest.approx(-1, abs=1e-12)


def test_doubled_power_is_a_spectrum_error_of_its_decades():
    # Two reflections alike in power, one of them tenfold in the model: amplitude ratios 1 and sqrt(10), scaled by
    # (1 + r) / (1 + r²)
    where = linear("Al")[1]
    image = np.zeros(SHAPE, complex)
    image[0, [2, -2]] = image[[2, -2], 0] = 1
    model = image.copy()
    model[0, [2, -2]] = np.sqrt(10)
    scale = (1 + np.sqrt(10)) / 11
    expected = np.sqrt((np.log10(scale**2) ** 2 + np.log10(10 * scale**2) ** 2) / 2)
    assert spectrum_error(image, model, where) == pytest.approx(expected, rel=1e-12)


def test_twice_the_cells_are_twice_the_linear_image():
    cell, where, profiles, parts = linear("BaTiO3")
    assert linear_coefficients(cell * (1, 1, 2), profiles, where) == pytest.approx(2 * parts, abs=1e-12)


def test_columns_and_their_contents():
    assert columns_of(cell_of("SrTiO3")).contents == ("O", "Sr", "TiO")
    assert columns_of(cell_of("Al")).contents == ("Al",)
    assert columns_of(cell_of("CeO2")).contents == ("Ce", "O")
    # dumbbells of Si are a/4 apart in [110]
    assert columns_of(cell_of("Si")).radius == pytest.approx(5.431 / 8, rel=1e-6)


def test_a_disc_about_a_lone_gaussian_holds_the_known_share():
    # Al atoms of 0.2 Å: those next to it, 2.0 Å away, leave nothing within a disc of 1.01 Å; the share 1 - exp(-R²/2σ²)
    # over the area of the disc. The scan of 40 points reaches 4.9 Å⁻¹, but the probe's band of 2.13 Å⁻¹ cuts the
    # Gaussian's transform at exp(-3.6) of its height, which the disc's, falling as g^-3/2, makes under 1 %
    cell = cell_of("Al")
    where, columns = reflections(cell, (40, 40), 300, 21), columns_of(cell)
    one = Profiles(np.array([13]), np.array([0.2]), np.array([5.0]), np.array([[1.0, 0.0, 0.0]]))
    found = column_intensities(linear_coefficients(cell, one, where).sum(0), columns, where)
    per_column = len(cell) / len(columns.positions) * one.intensity()[0]
    share = 1 - np.exp(-(columns.radius**2) / (2 * 0.2**2))
    assert found[0] == pytest.approx(per_column * share / (np.pi * columns.radius**2), rel=0.01)


def test_orbits_are_the_symmetry_of_the_projection():
    # fcc in [100]: p4m with a period of a/2. Of 12 x 12 points the period has 6 x 6, its octant 4 * 5 / 2
    assert orbits(cell_of("Al"), (12, 12)).max() + 1 == 10
    # the sum of profiles has the same symmetry, so points of one orbit are equal to rounding; BaTiO3 has one mirror
    for name, shape in (("Al", (12, 12)), ("SrTiO3", (12, 12)), ("BaTiO3", (10, 12)), ("GaAs", (10, 14))):
        parts = linear(name, shape=shape)[3].sum(0)
        image = np.fft.ifft2(parts * (np.abs(np.fft.fftfreq(shape[0])) < 0.5)[:, None]
                             * (np.abs(np.fft.fftfreq(shape[1])) < 0.5)).real.ravel()  # fmt: skip
        labels = orbits(cell_of(name), shape)
        mean = (np.bincount(labels, image) / np.bincount(labels))[labels]
        assert np.abs(image - mean).max() < 1e-9 * np.ptp(image)
        assert labels.max() + 1 < image.size


def test_some_points_of_each_orbit_are_taken():
    labels = np.array([0, 1, 1, 2, 2, 2, 1, 2])
    chosen = _some_of_each(stream(1, "orbits").permutation(len(labels)), labels, 2)
    assert len(np.unique(chosen)) == len(chosen)
    assert list(np.bincount(labels[chosen])) == [1, 2, 2]


def test_the_fit_finds_a_sum_that_is_within_its_ranges():
    # parameters on the fit's grid and a blur of it: found but for rounding
    cell = cell_of("PbTiO3")
    where = reflections(cell, SHAPE, 300, 21)
    numbers = np.unique(cell.numbers)
    truth = Profiles(numbers, radii(1.0)[numbers - 1], np.full(3, 8.0), np.array([[0.5, 1, 0.7], [3, 2, 2], [9, 9, 7]]))
    blur = np.exp(-2 * (np.pi * 0.2 * where.length) ** 2)
    image = linear_coefficients(cell, truth, where).sum(0) * blur
    fitted, parameters = fit(image, cell, RANGES, where, 0.4, (1.0,))
    assert correlation(image, fitted, where) == pytest.approx(1, abs=1e-9)
    assert parameters == pytest.approx({"exponent": 1.0, "order": 8.0, "factor": 1.0, "blur": 0.2})


def test_columns_without_a_maximum_are_told():
    # Gaussians of 0.8 Å and weight 1 on Ce: at the oxygen, 1.91 Å from the two nearest, they curve upwards, and oxygen
    # of the same width curves downwards by more only if its weight is above about (r²/σ² - 2) exp(-r²/2σ²) = 0.2
    cell = cell_of("CeO2")
    where, columns = reflections(cell, (16, 20), 300, 21), columns_of(cell)
    for weight, seen in ((0.02, False), (1.0, True)):
        two = Profiles(np.array([8, 58]), np.full(2, 0.8), np.full(2, 5.0), np.array([[weight, 0, 0], [1.0, 0, 0]]))
        assert list(peaked(linear_coefficients(cell, two, where).sum(0), columns, where)) == [True, seen]


def test_a_light_layer_is_a_sum_of_profiles():
    # Carbon at most two atoms thick is a weak phase object, and phonons end the interference between its atoms: HAADF
    # is then the sum over atoms of one profile blurred by probe and source (Eq. 16), whatever it is, and the family of
    # Eq. 17 with any width is to give 0.99 of it. One minus the correlation is phonon noise and falls as the number of
    # configurations: 0.012 at six of this small cell, so about 0.003 at 24
    sizes = Sizes(width=4.2, step=0.42, slice_thickness=3.4, configurations=[24])
    images, cells = multislice_images("graphite", OPTICS, [0.1], sizes, 1)
    assert cells[0] == 1
    rows, pictures = compare("graphite", images, cells, OPTICS, RANGES, 2, 1)
    assert rows["scaled_correlation"][0] > 0.99
    assert pictures.shape[:2] == (1, 3)
    # ... with columns of two atoms brighter than those of one
    assert rows["dimmest"][0] == "C"
    assert FACTORS[0] <= rows["scaled_factor"][0] <= FACTORS[-1]


def test_configurations_are_one_number_per_thickness():
    for wrong in ([1], [1, 2], [1, 0]):
        with pytest.raises(EmrestoreError, match="'configurations' must be"):
            multislice_images("Al", OPTICS, [1, 2], Sizes(4, 0.42, 2.2, wrong), 1)


def test_the_scan_step_holds_what_the_source_leaves():
    # a step of 0.42 Å folds details finer than 0.84 Å; the source leaves exp(-2 (π σ g)²) = 1.6 % of them
    sigma = 0.45 / np.sqrt(2 * np.log(2))
    assert np.exp(-2 * (np.pi * sigma / 0.84) ** 2) < 0.02


GOOD = {
    "scaled_correlation": 1.0, "best_correlation": 1.0, "power_correlation": 1.0, "sorted_correlation": 1.0,
    "power_tau": 1.0, "power_ratio": 0.5, "ratio": 0.5, "hidden": "", "linearity": 1.0, "linearity_se": 0.0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, ""),
        ({"power_tau": np.nan, "power_ratio": np.nan, "ratio": np.nan, "linearity_se": np.nan}, ""),
        ({"scaled_correlation": 0.8, "best_correlation": 0.8}, "shape"),
        ({"best_correlation": 0.89, "power_correlation": 0.5}, "width"),
        ({"power_correlation": 0.89}, "weights"),
        ({"sorted_correlation": 0.89}, "order alone"),
        ({"power_tau": 0.3, "hidden": "O"}, "ranks; hidden O"),
        ({"power_ratio": 0.24}, "dim columns"),
        ({"ratio": 0.24}, "dim columns"),
        ({"linearity": 1.25}, "thickness"),
        ({"linearity": 1.25, "linearity_se": 0.2}, ""),
        ({"linearity": 0.75}, "thickness"),
    ],
)
def test_failures_are_named(change, verdict):
    assert failures(pd.Series(GOOD | change)) == verdict


def test_the_power_of_z_is_found():
    z = np.array([13.0, 29, 47, 78])
    table = pd.DataFrame({"nominal": 5, "elements": [1, 1, 1, 1], "mean_z": z, "cross_section": 1e-5 * z**1.7})
    other = pd.DataFrame({"nominal": [5], "elements": [2], "mean_z": [20.0], "cross_section": [1.0]})
    found = power_of_z(pd.concat([table, other]))
    assert found["power"][0] == pytest.approx(1.7, rel=1e-9)
    assert found["crystals"][0] == 4
