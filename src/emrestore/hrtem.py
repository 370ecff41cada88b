"""HRTEM images: exit waves by multislice, thin over abTEM, and partially coherent image formation.

Focus and direction of illumination vary from electron to electron, so intensities are averaged, not waves. A transfer
function damped by envelopes is the same for weak objects only: of a platinum particle it would lose electrons and
misjudge how strongly diffracted beams interfere with each other.

The same call gives the same bits: one thread, FFT plans that do not depend on timing.

Accuracy of the image of a Pt particle of 32 Å, from the same atoms on finer grids, relative to the image's standard
deviation: slices of a/2 against a/8 1.3 %; wave points every 0.057 Å 4 %, every 0.067 Å 6 %, because abTEM spreads an
atom over the four nearest grid points.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count, product
from math import factorial

import numpy as np
from ase import Atoms

from emrestore.errors import EmrestoreError
from emrestore.multislice import DETERMINISTIC, wavelength

#: Error allowed in the average over focus and illumination, of the interference of any two beams.
QUADRATURE_ERROR = 1e-4


@dataclass(frozen=True)
class Settings:
    """Optics and numerical settings of an image.

    Attributes
    ----------
    energy
        Beam energy [keV].
    c30
        Third-order spherical aberration [Å].
    defocus
        Defocus [Å] from the exit face of the box, positive for underfocus (C10 = -defocus).
    focal_spread
        Standard deviation of the focus [Å]. (abTEM's and Kirkland's focal spread is √2 times this.)
    angular_spread
        Standard deviation of the illumination's direction along each axis [mrad].
    aperture
        Semi-angle of the objective aperture [mrad].
    shape
        Pixels along y and along x.
    gpts
        Grid points of the wave along x and along y.
    slice_thickness
        Thickness of a slice [Å], adjusted so that a whole number of slices fills the box.
    phonon_rms
        Root-mean-square thermal displacement of an atom along each axis [Å].
    """

    energy: float
    c30: float
    defocus: float
    focal_spread: float
    angular_spread: float
    aperture: float
    shape: int
    gpts: int
    slice_thickness: float
    phonon_rms: float


def delocalisation(settings: Settings) -> float:
    """Give how far the lens displaces information [Å]: the largest |∇χ| / 2π within the aperture.

    Foci up to three standard deviations from the nominal one are included.
    """
    angle = np.linspace(0, 1e-3 * settings.aperture, 201)
    displaced = np.abs(settings.c30 * angle**3 - settings.defocus * angle)
    return float((displaced + 3 * settings.focal_spread * angle).max())


def check(settings: Settings, width: float, diameter: float) -> None:
    """Refuse an aperture that the grids cannot carry, and a particle that its box cannot hold.

    Two beams at opposite edges of the aperture interfere at twice its frequency, which the pixels must still sample.
    A wave of as many points then carries the aperture well within its antialiasing cutoff, λ gpts / (3 width). And as
    the box is periodic, it must hold the particle with all that the lens displaces to either side.

    Parameters
    ----------
    settings
        Settings to check.
    width
        Edge of the box, and of the image [Å].
    diameter
        Diameter of the particle [Å].

    Raises
    ------
    EmrestoreError
        If the aperture exceeds λ shape / (4 width), if the wave has fewer points than the image, or if the particle
        does not fit.
    """
    largest = 1e3 * wavelength(settings.energy) * settings.shape / (4 * width)
    if settings.aperture > largest:
        raise EmrestoreError(
            f"the objective aperture ({settings.aperture:g} mrad) exceeds the {largest:.1f} mrad whose image pixels of "
            f"{width / settings.shape:g} Å sample: use pixels of at most "
            f"{width / settings.shape * largest / settings.aperture:.3f} Å"
        )
    if settings.gpts < settings.shape:
        raise EmrestoreError(
            f"the wave's gpts ({settings.gpts}) must be at least the image's shape ({settings.shape} px)"
        )
    needed = diameter + 2 * delocalisation(settings)
    if needed > width:
        raise EmrestoreError(
            f"a particle of {diameter:g} Å needs a box of {needed:.1f} Å with what the lens displaces, not of "
            f"{width:g} Å: choose a smaller diameter or a larger image"
        )


def exit_wave(atoms: Atoms, settings: Settings, phonon_seed: int | None) -> np.ndarray:
    """Simulate the wave of a plane incident wave of amplitude 1 at the exit face of the box.

    Parameters
    ----------
    atoms
        Specimen in an orthogonal box, square in x and y, periodic; the beam runs along +z.
    settings
        Energy, grid, slices, phonons.
    phonon_seed
        Seed of one frozen-phonon configuration, or None for atoms at rest.

    Returns
    -------
    ndarray
        (gpts, gpts) complex64, y and x.
    """
    # heavy, and not needed to check a configuration
    import abtem
    import pyfftw

    depth = atoms.cell.lengths()[2]
    n_slices = max(1, round(depth / settings.slice_thickness))
    if phonon_seed is not None and settings.phonon_rms > 0:
        phonons = abtem.FrozenPhonons(atoms, 1, sigmas=settings.phonon_rms, seed=(phonon_seed,))
        atoms = phonons.randomize(atoms)
    pyfftw.forget_wisdom()  # plans timed earlier in this process would be used again
    with abtem.config.set(DETERMINISTIC):
        potential = abtem.Potential(atoms, gpts=settings.gpts, slice_thickness=(depth / n_slices,) * n_slices)
        wave = abtem.PlaneWave(energy=1e3 * settings.energy).multislice(potential.build(lazy=False), lazy=False)
    return np.ascontiguousarray(wave.array.T)


def form_images(waves: np.ndarray, width: float, settings: Settings) -> np.ndarray:
    """Form the images of exit waves: intensities averaged over focus and direction of illumination.

    Illumination tilted by β shifts the beams by β / λ over the lens; that the specimen itself looks different from
    there is neglected, as is usual for thin specimens and fractions of a milliradian.

    Parameters
    ----------
    waves
        (..., gpts, gpts) waves, y and x, over one period.
    width
        Period of the waves along x and y [Å].
    settings
        Optics and shape of the image.

    Returns
    -------
    ndarray
        (..., shape, shape) float64, relative to the incident intensity. Pixel (0, 0) is centred at x = y = 0.
    """
    wave = wavelength(settings.energy)
    n = settings.shape
    g = np.fft.fftfreq(n, width / n)  # [1/Å]
    kept = np.rint(g * width).astype(int)
    beams = np.fft.fft2(waves, norm="forward")[..., kept[:, None], kept]
    limit = 1e-3 * settings.aperture / wave
    beams = beams * (g**2 + g[:, None] ** 2 <= limit**2)

    foci = _normal_nodes(settings.focal_spread, np.pi * wave * limit**2)
    tilts = _normal_nodes(1e-3 * settings.angular_spread / wave, 4 * np.pi * delocalisation(settings))
    images = np.zeros((*waves.shape[:-2], n, n))
    for (focus, weight), (x, weight_x), (y, weight_y) in product(foci, tilts, tilts):
        square = (g + x) ** 2 + (g[:, None] + y) ** 2
        chi = np.pi * wave * square * (focus - settings.defocus + wave**2 * settings.c30 * square / 2)
        amplitude = np.fft.ifft2(beams * np.exp(-1j * chi), norm="forward")
        images += weight * weight_x * weight_y * (amplitude.real**2 + amplitude.imag**2)
    return images


def _normal_nodes(deviation: float, rate: float) -> list[tuple[float, float]]:
    """Give points and weights that average exp(i rate x) over a normal distribution, by Gauss and Hermite.

    Of n points the error is at most phase^(2n) n! / (2n)!, with phase = rate x deviation.
    """
    phase = rate * deviation
    n = next(n for n in count(1) if phase ** (2 * n) * (factorial(n) / factorial(2 * n)) < QUADRATURE_ERROR)
    points, weights = np.polynomial.hermite_e.hermegauss(n)
    return list(zip(deviation * points, weights / weights.sum(), strict=True))


def hrtem_image(atoms: Atoms, settings: Settings, phonon_seeds: Sequence[int | None]) -> np.ndarray:
    """Simulate an HRTEM image, averaged over frozen-phonon configurations.

    Configurations, and not Debye-Waller factors: those would take what phonons scatter between the Bragg beams out of
    the image, and with it electrons. See that the settings fit the specimen first: :func:`check`.

    Parameters
    ----------
    atoms
        Specimen in an orthogonal box, square in x and y, periodic; the beam runs along +z.
    settings
        Optics, grids, phonons.
    phonon_seeds
        A seed for each configuration; ``[None]`` for atoms at rest.

    Returns
    -------
    ndarray
        (shape, shape) float64 intensity, y and x, relative to the incident beam.
    """
    waves = np.stack([exit_wave(atoms, settings, seed) for seed in phonon_seeds])
    return form_images(waves, atoms.cell.lengths()[0], settings).mean(axis=0)
