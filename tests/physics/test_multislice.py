"""Multislice against conservation, convergence, sampling theory and an independent predictor of cross sections."""

import dataclasses

import numpy as np
import pyfftw
import pytest

from emrestore.errors import EmrestoreError
from emrestore.multislice import (
    Settings,
    antialiasing_cutoff,
    cell_points,
    check,
    detected_fraction,
    nyquist_step,
    scattered_positions,
    wavelength,
)
from emrestore.periodic import sample
from emrestore.rng import stream
from emrestore.specimen.named import bulk

A = 3.9242
#: Two unit cells wide on a small grid: cutoff 142 mrad, so a detector up to 120 mrad with a semi-angle of 21 mrad.
SMALL = Settings(
    energy=300, semi_angle=21, c30=0, defocus=0, detector_inner=60, detector_outer=120, gpts=170,
    slice_thickness=A / 2, phonon_rms=0.068,
)  # fmt: skip


def cell_average(settings, thicknesses, seeds, points=6, cells=2):
    """Cross section of a column [Å²] for each seed (or None), at each thickness."""
    atoms = bulk("Pt", A, cells, max(thicknesses))
    positions = cell_points(A / 2, points)
    found = [detected_fraction(atoms, settings, positions, A, thicknesses, seed) for seed in seeds]
    return np.mean(found, axis=-1) * (A / 2) ** 2


def test_wavelength_is_that_of_the_textbooks():
    # Kirkland, Advanced Computing in Electron Microscopy: 100 keV 0.0370 Å, 300 keV 0.0197 Å
    assert wavelength(100) == pytest.approx(0.03701, abs=1e-5)
    assert wavelength(300) == pytest.approx(0.01969, abs=1e-5)


def test_the_whole_beam_is_conserved():
    # A detector from 0 to the cutoff sees all but what scatters beyond it. Born's cross section of Pt falls as θ⁻⁴, so
    # above 401 mrad (480 points over two cells) about 3e-4 Å² an atom remain, 1e-3 of a probe of 0.5 Å on the column;
    # none between columns. Above one only by the rounding of float32 (1e-5)
    fine = dataclasses.replace(SMALL, gpts=480, detector_inner=0.0)
    everything = dataclasses.replace(fine, detector_outer=antialiasing_cutoff(fine, 2 * A))
    on, between = detected_fraction(bulk("Pt", A, 2, 1), everything, np.array([[0, 0], [A / 4, A / 4]]), A, [1], None)[
        0
    ]
    assert 0.998 < on < 1 + 1e-5
    assert 0.9999 < between < 1 + 1e-5


def test_runs_are_identical_to_the_bit_whatever_was_planned_before():
    atoms = bulk("Pt", A, 2, 2)

    def run():
        return detected_fraction(atoms, SMALL, cell_points(A / 2, 3), A, [1, 2], 7)

    first = run()
    wave = pyfftw.empty_aligned((16, SMALL.gpts, SMALL.gpts), dtype="complex64")
    pyfftw.FFTW(wave, wave, axes=(1, 2), flags=("FFTW_MEASURE",))  # leaves wisdom that timing decided
    assert np.array_equal(first, run())


def test_exit_planes_are_the_thinner_crystals():
    thin = detected_fraction(bulk("Pt", A, 2, 2), SMALL, cell_points(A / 2, 3), A, [2], None)
    both = detected_fraction(bulk("Pt", A, 2, 5), SMALL, cell_points(A / 2, 3), A, [2, 5], None)
    assert both[0] == pytest.approx(thin[0], rel=1e-4)
    assert both[1].mean() > 1.5 * thin.mean()


def test_halving_the_slices_moves_cross_sections_by_less_than_a_thousandth():
    whole = cell_average(SMALL, [2, 6], [11])
    halves = cell_average(dataclasses.replace(SMALL, slice_thickness=A / 4), [2, 6], [11])
    assert halves == pytest.approx(whole, rel=1e-3)


def test_without_phonons_thick_crystals_scatter_far_too_little():
    # At 20 cells thermal diffuse scattering is the larger part of the HAADF signal; the phonon noise of three
    # configurations of one column is about 10 % / sqrt(3), so a deficit of over 20 % stands out by three of it
    warm = cell_average(SMALL, [20], range(3)).mean()
    cold = cell_average(SMALL, [20], [None]).mean()
    assert cold < 0.8 * warm


def test_a_scan_at_the_nyquist_step_holds_the_whole_image():
    # 9 points along a/2 make a step below λ / 4α, so that Fourier interpolation gives any other probe position.
    # abTEM's aperture edge is softened over a pixel of reciprocal space, which leaves a trace beyond 2α / λ: 1 %
    atoms = bulk("Pt", A, 2, 2)
    assert A / 18 < nyquist_step(SMALL) < A / 16
    grid = detected_fraction(atoms, SMALL, cell_points(A / 2, 9), A, [2], None).reshape(9, 9)
    elsewhere = stream(1, "nyquist").uniform(0, A / 2, (6, 2))
    direct = detected_fraction(atoms, SMALL, elsewhere, A, [2], None)[0]
    series = [sample(grid, (A / 2, A / 2), 1.0, (1, 1), origin)[0, 0] for origin in elsewhere]
    assert np.abs(np.array(series) - direct).max() < 0.01 * grid.max()


def test_scattered_positions_are_equivalent_places():
    points = cell_points(A / 2, 3)
    moved = scattered_positions(points, A / 2, 4, stream(1, "scatter"))
    steps = (moved - points) / (A / 2)
    assert np.allclose(steps, np.rint(steps))
    assert set(np.rint(steps).ravel()) <= {0, 1, 2, 3}
    # nine points take nine different ones of the sixteen places
    assert len(np.unique(np.rint(steps), axis=0)) == 9
    atoms = bulk("Pt", A, 2, 1)
    # not exactly equal: neighbouring columns' atoms are half a cell apart in z, a defocus of 2 Å
    still = [detected_fraction(atoms, SMALL, where, A, [1], None)[0] for where in (points, moved)]
    assert still[1] == pytest.approx(still[0], abs=0.02 * still[0].max())


@pytest.mark.parametrize(("outer", "refused"), [(120, False), (122, True), (200, True)])
def test_a_detector_beyond_the_cutoff_is_refused(outer, refused):
    settings = dataclasses.replace(SMALL, detector_outer=outer)
    assert (antialiasing_cutoff(SMALL, 2 * A) - 21 < outer) is refused
    if refused:
        with pytest.raises(EmrestoreError, match="antialiasing cutoff"):
            check(settings, 2 * A)
    else:
        check(settings, 2 * A)


def test_slices_must_divide_the_cell():
    with pytest.raises(EmrestoreError, match="whole slices"):
        detected_fraction(
            bulk("Pt", A, 1, 1),
            dataclasses.replace(SMALL, slice_thickness=0.37 * A),
            np.zeros((1, 2)),
            A,
            [1],
            None,
        )
