"""Patches against one cell that holds the whole specimen, and conservation."""

import dataclasses

import numpy as np
import pytest

from emrestore.errors import EmrestoreError
from emrestore.field import detected_field, displace_thermally
from emrestore.multislice import Settings, antialiasing_cutoff, detected_fraction
from emrestore.rng import stream
from emrestore.specimen.named import nanoparticle

A = 3.9242
CELL = 5 * A
#: 142 mrad of cutoff carry a detector up to 120 mrad with a semi-angle of 21 mrad.
WHOLE = Settings(
    energy=300, semi_angle=21, c30=0, defocus=0, detector_inner=60, detector_outer=120, gpts=432,
    slice_thickness=A / 2, phonon_rms=0.068,
)  # fmt: skip
WINDOW = 224


@pytest.fixture(scope="module")
def particle():
    """Four atoms across, 3.2 cells."""
    atoms = nanoparticle("Pt", A, 3.2 * A, CELL)
    atoms.positions[:, 2] += A / 8 - atoms.positions[:, 2].min()
    atoms.set_cell([CELL, CELL, 4 * A])
    return displace_thermally(atoms, 0.068, stream(1, "phonons"))


def scan(centre, points, step):
    line = step * (np.arange(points) - (points - 1) / 2)
    return np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2) + centre


def patched(atoms, positions, window=WINDOW, patch=1.2, **changes):
    settings = dataclasses.replace(WHOLE, gpts=window, **changes)
    return detected_field(atoms, settings, positions, window * CELL / WHOLE.gpts, patch)


@pytest.fixture(scope="module")
def whole(particle):
    """Positions about the central column, and their image from one cell."""
    positions = scan([CELL / 2, CELL / 2], 7, 0.33)
    return positions, detected_fraction(particle, WHOLE, positions, A, [4], None)[0]


def test_a_window_as_large_as_the_cell_is_the_cell(particle, whole):
    # the same waves on the same grid, but for the rounding of float32 and the tails of atoms at the border
    assert patched(particle, whole[0], window=WHOLE.gpts) == pytest.approx(whole[1], rel=1e-4)


@pytest.mark.parametrize("window", [160, 224, 320])
def test_patches_agree_with_one_cell_and_at_their_seams(particle, whole, window):
    positions, one = whole
    many = patched(particle, positions, window)
    # the study allows 1 % of a cross section. What differs is less the specimen beyond the margin than the coarser
    # frequencies of a small window, at the edges of aperture and detector, which also shift the probe's tails: single
    # points by up to 2 % of the peak
    assert many.sum() == pytest.approx(one.sum(), rel=0.01)
    assert np.abs(many - one).max() < 0.02 * one.max()
    # patches laid differently have other seams and margins, and the same frequencies
    other = patched(particle, positions, window, patch=0.9)
    assert other == pytest.approx(many, abs=0.005 * one.max())


def test_too_small_windows_are_worse(particle, whole):
    # so that the comparison above can fail: 0.9 Å of margin
    positions, one = whole
    assert np.abs(patched(particle, positions, window=64) - one).max() > 0.02 * one.max()


def test_the_whole_beam_is_conserved_and_vacuum_scatters_nothing(particle):
    cutoff = antialiasing_cutoff(WHOLE, CELL)
    beam = patched(particle, scan([CELL / 2, CELL / 2], 3, 0.7), detector_inner=0.0, detector_outer=cutoff)
    # never above one but for the rounding of float32; what the grid cuts off beyond 142 mrad is lost, by Rutherford's
    # (142/60)⁻² = 18 % of what a detector from 60 mrad sees, which is below 30 % here
    assert (beam < 1 + 1e-4).all()
    assert (beam > 1 - 0.18 * 0.3).all()
    assert (patched(particle, np.array([[-20.0, -20.0], [70.0, 0.0]])) == 0).all()


def test_patches_must_fit_their_windows(particle):
    with pytest.raises(EmrestoreError, match="smaller than their windows"):
        patched(particle, np.zeros((1, 2)), patch=99.0)
