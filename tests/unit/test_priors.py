"""What a network's belief is measured by, on images that were not restored at all."""

import numpy as np
import pytest

from emrestore.columns.response import Lattice
from emrestore.restore import Identity
from emrestore.train.priors import LACKING, image_scores, lattice_scores

LATTICE = Lattice(columns=9, pitch=9.8, sigma=2.0, height=1e-3, background=1e-9, pixel_size=0.2)
DOSE = 5e6


@pytest.fixture(scope="module")
def table():
    found = lattice_scores(Identity(), LATTICE, [DOSE], [0.0, 10.0], 4, 1, 1)
    return found.set_index(["quantity", "width"])["value"]


def test_raw_images_keep_displacements_and_contents(table):
    # the bound of a lone Gaussian column of N electrons is σ / √N; neighbours overlap a little and add to it
    bound = 100 * LATTICE.pixel_size * LATTICE.sigma / np.sqrt(2 * np.pi * LATTICE.sigma**2 * LATTICE.height * DOSE)
    for width in (0.0, 10.0):
        # 4 fields of 49 columns and two axes: known to one part in √784, and least squares is up to 1.3 times the bound
        assert 0.8 * bound < table["rmse", width] < 1.6 * bound
    assert table["slope", 10.0] == pytest.approx(1, abs=5 * bound / 10 / np.sqrt(4 * 98))
    # cross sections of N electrons are known to one part in √N; a vacancy shows the noise of its neighbours' tails
    noise = 5 * 2 / np.sqrt(2 * np.pi * LATTICE.sigma**2 * LATTICE.height * DOSE) / np.sqrt(4)
    for quantity, content in LACKING.items():
        assert table[quantity, 0.0] == pytest.approx(content, abs=noise)


def test_a_shift_of_the_whole_image_is_told_from_scatter(table):
    def shifted(images, progress):
        return np.roll(images, 1, axis=2)

    found = lattice_scores(shifted, LATTICE, [DOSE], [0.0, 10.0], 4, 1, 1).set_index(["quantity", "width"])["value"]
    pixel = 100 * LATTICE.pixel_size
    for width in (0.0, 10.0):
        # fits differ in the last digits, by where they start
        assert found["shift", width] - table["shift", width] == pytest.approx(pixel, rel=1e-3)
        assert found["scatter", width] == pytest.approx(table["scatter", width], rel=1e-2)
        # both axes share the shift of one
        whole = np.hypot(table["scatter", width], pixel / np.sqrt(2))
        assert found["rmse", width] == pytest.approx(whole, rel=0.02)


def test_images_are_scored_by_the_disorder_of_their_specimens():
    scores, strong = np.array([20.0, 22, 40, 44, 1, 1]), np.array([21.0, 23.2, 39, 43, 9, 9])
    found = image_scores(scores, strong, np.array([0, 0, 0.5, 1.0, 0.2, 0.4]), 0.5)
    found = found.set_index("quantity")
    # weak disorder counts as neither
    assert found["value"].round(9).to_dict() == {
        "psnr_ordered": 21, "psnr_disordered": 42, "gain_ordered": -1.1, "gain_disordered": 1
    }  # fmt: skip
    # differences are paired: two of -1 and -1.2 dB, Student's t of one degree of freedom
    assert found.loc["gain_ordered", "high"] == pytest.approx(-1.1 + 12.706 * 0.1, abs=1e-3)
