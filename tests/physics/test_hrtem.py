"""HRTEM images against vacuum, linear imaging theory, conservation and their own repetition."""

import dataclasses

import abtem
import numpy as np
import pyfftw
import pytest
from ase import Atoms

from emrestore.errors import EmrestoreError
from emrestore.hrtem import Settings, check, delocalisation, exit_wave, form_images, hrtem_image
from emrestore.multislice import wavelength
from emrestore.specimen.named import nanoparticle

A = 3.9242
#: Negative spherical aberration and overfocus, over a box of 16 Å.
SMALL = Settings(
    energy=300, c30=-1.27e5, defocus=-58, focal_spread=20, angular_spread=0.2, aperture=24, shape=80, gpts=240,
    slice_thickness=A / 2, phonon_rms=0.068,
)  # fmt: skip
WIDTH = 16.0
WAVE = wavelength(300)


def particle():
    return nanoparticle("Pt", A, 10.0, WIDTH)


def linear_transfer(settings, g):
    """Textbook transfer 2 sin χ times the envelopes at frequencies g [1/Å], and how far exact averages may be off.

    The averages over focus (deviation Δ) and over the source (deviation s of its frequency) are known to the
    quadrature's 1e-4 each; one over focus and two over the source make 3e-4. They are the product of the envelopes up
    to two terms: C30 bends χ over the source, a mean phase of 4π λ³ C30 g² s²; and foci within the spread change the
    slope of χ, by 2πλ g times their deviation: a phase of Δ² π λ g² s² slope 2π λ g and a factor within
    (2π λ Δ g s)² / 2 of one. Both times 2, the largest transfer.
    """
    c10, focal, source = -settings.defocus, settings.focal_spread, 1e-3 * settings.angular_spread / WAVE
    chi = np.pi * WAVE * c10 * g**2 + np.pi / 2 * WAVE**3 * settings.c30 * g**4
    slope = 2 * np.pi * (WAVE * c10 * g + WAVE**3 * settings.c30 * g**3)
    envelopes = np.exp(-((np.pi * WAVE * focal * g**2) ** 2) / 2) * np.exp(-((source * slope) ** 2) / 2)
    bend = 4 * np.pi * WAVE**3 * np.abs(settings.c30) * (g * source) ** 2
    change = 2 * np.pi * WAVE * focal * g * source
    crossed = np.pi * WAVE * focal * g**2 * change * source * np.abs(slope) + change**2 / 2
    return 2 * np.sin(chi) * envelopes, 2 * (3e-4 + envelopes * (bend + crossed))


def test_vacuum_is_one():
    # the weights sum to one and the direct beam's phase drops out: the rounding of float32 in the exit wave is left
    empty = Atoms(cell=[WIDTH, WIDTH, 8 * A])
    assert np.abs(hrtem_image(empty, SMALL, [None]) - 1).max() < 1e-6


@pytest.mark.parametrize("defocus", [-58.0, 210.0])
@pytest.mark.parametrize("spreads", [(0, 0), (25, 0), (0, 0.3), (25, 0.3)])
def test_weak_gratings_are_transferred_as_linear_theory_says(defocus, spreads):
    # Seven gratings, phases of ε cos, along x, y and between. The second order in ε is 7 ε = 7e-6 at most
    settings = dataclasses.replace(SMALL, defocus=defocus, focal_spread=spreads[0], angular_spread=spreads[1])
    orders = np.array([[3, 0], [0, 5], [7, 2], [-4, 9], [12, 0], [10, 10], [2, -17]])
    line = np.arange(SMALL.gpts) / SMALL.gpts
    y, x = np.meshgrid(line, line, indexing="ij")
    epsilon = 1e-6
    phase = sum(np.cos(2 * np.pi * (h * x + k * y)) for h, k in orders)
    spectrum = np.fft.fft2(form_images(np.exp(1j * epsilon * phase), WIDTH, settings), norm="forward")
    found = spectrum[orders[:, 1], orders[:, 0]] / (epsilon / 2)
    expected, tolerance = linear_transfer(settings, np.hypot(*orders.T) / WIDTH)
    assert (np.abs(found - expected) < tolerance).all()
    assert tolerance.max() < 0.05


@pytest.mark.parametrize("defocus", [-58.0, 210.0])
def test_a_hydrogen_atom_is_imaged_as_linear_theory_says(defocus):
    # Through multislice and lens: σ V(g) = γ λ f(g), with Lobato's electron scattering factor f and the relativistic
    # ratio of masses γ. Half the difference to the lens with reversed aberrations holds what is odd in them: the
    # linear image and third orders of the phase φ. Of those, two times φ³/6 and two times φ φ²/2, none exceeds its
    # value without lens phases, as all coefficients of φ are positive: 4/3 of the spectrum of φ³. The slice of 0.02 Å
    # keeps the focus at the exit face.
    settings = dataclasses.replace(SMALL, defocus=defocus)
    atom = Atoms("H", positions=[[WIDTH / 2, WIDTH / 2, 0.01]], cell=[WIDTH, WIDTH, 0.02])
    wave = exit_wave(atom, settings, None)
    reversed_lens = dataclasses.replace(settings, defocus=-defocus, c30=-settings.c30)
    odd = (form_images(wave, WIDTH, settings) - form_images(wave, WIDTH, reversed_lens)) / 2
    spectrum = np.abs(np.fft.fft2(odd, norm="forward"))

    a, b = np.array(abtem.parametrizations.LobatoParametrization().parameters["H"])
    frequency = np.fft.fftfreq(SMALL.gpts, WIDTH / SMALL.gpts)
    g = np.hypot(frequency, frequency[:, None])
    square = b * g[..., None] ** 2
    factor = (a * (2 + square) / (1 + square) ** 2).sum(axis=-1)
    phase = (1 + 300 / 510.999) * WAVE * factor / WIDTH**2 * (g < SMALL.gpts / (3 * WIDTH))
    third = 4 / 3 * np.fft.fft2(np.fft.ifft2(phase, norm="forward").real ** 3, norm="forward").real
    where = tuple(np.array([(0, 4), (6, 0), (5, 8), (10, 3), (0, 14), (12, 12), (18, 0)]).T)
    expected, tolerance = linear_transfer(settings, g[where])
    error = np.abs(spectrum[where] / phase[where] - np.abs(expected))
    assert (error < tolerance + third[where] / phase[where]).all()
    assert (third[where] / phase[where]).max() < 0.005


def test_no_electron_is_lost_without_an_aperture():
    # Born's cross section of Pt falls as θ⁻⁴, so beyond the grid's cutoff of 197 mrad about 1.2e-3 Å² an atom scatter:
    # 2e-4 of the beam through 16 x 16 Å for 43 atoms, and no more than five times that where columns of five focus it
    fine = dataclasses.replace(SMALL, gpts=480, shape=330, aperture=197, focal_spread=0.0, angular_spread=0.0)
    mean = hrtem_image(particle(), fine, [5]).mean()
    assert 1 - 1e-3 < mean < 1 + 1e-5


def test_the_mean_is_what_passes_the_aperture_whatever_the_lens_does():
    wave = exit_wave(particle(), SMALL, 5).astype(complex)
    frequency = np.fft.fftfreq(SMALL.gpts, WIDTH / SMALL.gpts)
    passed = np.hypot(frequency, frequency[:, None]) * WAVE < 1e-3 * SMALL.aperture
    flux = (np.abs(np.fft.fft2(wave, norm="forward")[passed]) ** 2).sum()
    assert 0.5 < flux < 0.995  # or this would show nothing
    for lens in (SMALL, dataclasses.replace(SMALL, defocus=150, c30=3e5, focal_spread=40, angular_spread=0.5)):
        assert form_images(wave, WIDTH, lens).mean() == pytest.approx(flux, rel=1e-12)


def test_an_atom_is_bright_at_its_own_pixel():
    # negative spherical aberration and overfocus make atoms bright; (x, y) on pixel (30, 55), so axes may not be mixed
    pixel = WIDTH / SMALL.shape
    atom = Atoms("Pt", positions=[[30 * pixel, 55 * pixel, 0.9]], cell=[WIDTH, WIDTH, A / 2])
    image = hrtem_image(atom, SMALL, [None])
    assert np.unravel_index(image.argmax(), image.shape) == (55, 30)
    assert image.max() > 1.2


def test_runs_are_identical_to_the_bit_whatever_was_planned_before():
    first = hrtem_image(particle(), SMALL, [3, 4])
    wave = pyfftw.empty_aligned((SMALL.gpts, SMALL.gpts), dtype="complex64")
    pyfftw.FFTW(wave, wave, axes=(0, 1), flags=("FFTW_MEASURE",))  # leaves wisdom that timing decided
    assert np.array_equal(first, hrtem_image(particle(), SMALL, [3, 4]))
    assert not np.array_equal(first, hrtem_image(particle(), SMALL, [3, 5]))


def test_pixels_at_the_limit_hold_the_whole_image():
    # An image of an aperture α is band-limited at 2 α / λ; 80 pixels over 16 Å just carry that of 24 mrad, so that
    # every second pixel of a grid twice as fine has the same values, up to rounding
    check(SMALL, WIDTH, 10.0)
    wave = exit_wave(particle(), SMALL, 5)
    fine = form_images(wave, WIDTH, dataclasses.replace(SMALL, shape=160))
    assert fine[::2, ::2] == pytest.approx(form_images(wave, WIDTH, SMALL), abs=1e-9)
    spectrum = np.abs(np.fft.fft2(fine, norm="forward"))
    assert spectrum[:, 40:121].max() < 1e-9 < 1e-3 < spectrum[:, :40].max()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"aperture": 25}, r"at most 0\.197 Å"),
        ({"gpts": 79}, "at least the image's shape"),
        ({"defocus": 300}, "what the lens displaces"),
    ],
)
def test_what_cannot_be_is_refused(change, message):
    with pytest.raises(EmrestoreError, match=message):
        check(dataclasses.replace(SMALL, **change), WIDTH, 10.0)


def test_delocalisation_is_that_of_the_optimum():
    # Lichte's focus of least confusion: at -3/4 C30 g² λ² the displacement of the information limit is 1/4 C30 (λ g)³
    # and that at its extremum inside the same
    edge = 24e-3
    least = dataclasses.replace(SMALL, defocus=0.75 * SMALL.c30 * edge**2, focal_spread=0.0)
    assert delocalisation(least) == pytest.approx(abs(SMALL.c30) * edge**3 / 4, rel=1e-3)
