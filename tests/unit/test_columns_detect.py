import numpy as np
import pytest

from emrestore.columns.detect import detect_columns, find_spacing, match
from emrestore.errors import EmrestoreError
from emrestore.rng import stream


def particle(name, pitch, sigma, counts):
    """A round particle, thinner at the rim, on a support that varies, surrounded by vacuum."""
    g = stream(3, "test_columns_detect", name)
    along = 100.3 + np.arange(-20, 21) * pitch
    positions = np.stack(np.meshgrid(along, along), -1).reshape(-1, 2)
    radius = np.hypot(*(positions - 100).T)
    positions, radius = positions[radius < 70], radius[radius < 70]
    positions = positions + g.normal(0, 0.2, positions.shape)
    height = counts / (2 * np.pi * sigma**2) * np.sqrt(1 - (radius / 72) ** 2)
    pixels = np.arange(200)
    v, u = (np.exp(-0.5 * ((pixels - centre[:, None]) / sigma) ** 2) for centre in positions.T[::-1])
    slope = 0.3 * np.exp(-((pixels - 100) ** 2) / (2 * 60**2))
    return positions, g.poisson((height[:, None] * v).T @ u + height.max() * (0.05 + slope))


@pytest.mark.parametrize(("pitch", "sigma"), [(19.6, 4.5), (9.8, 2.2)])
def test_columns_of_a_particle_are_found_and_nothing_else(pitch, sigma):
    positions, image = particle("clear", pitch, sigma, 1e4)
    assert find_spacing(image) == pytest.approx(pitch, abs=1.0)
    found = detect_columns(image)
    score = match(found, positions, pitch / 3)
    assert score["recall"] > 0.98
    assert score["precision"] == 1.0
    shift = found[score["pairs"][:, 0]] - positions[score["pairs"][:, 1]]
    assert np.abs(shift.mean(axis=0)).max() < 0.1  # a swapped axis or half a pixel would show
    assert shift.std() < 0.1 * pitch


def test_noise_lowers_recall_before_precision():
    positions, image = particle("noisy", 9.8, 2.2, 300)
    score = match(detect_columns(image), positions, 9.8 / 3)
    assert score["precision"] > 0.95
    assert score["recall"] > 0.6


def test_what_holds_no_columns_is_refused():
    noise = stream(3, "test_columns_detect", "noise").poisson(20, (64, 64))
    for bad in (np.zeros((64, 64)), np.full((64, 64), np.nan), np.zeros((3, 64, 64))):
        with pytest.raises(EmrestoreError):
            detect_columns(bad)
    with pytest.raises(EmrestoreError):
        detect_columns(noise, spacing=12.0)


def test_matching_is_one_to_one_and_prefers_many_to_close_pairs():
    true = np.array([[0.0, 0.0], [1.0, 0.0], [9.0, 9.0]])
    found = np.array([[0.9, 0.0], [1.8, 0.0], [50.0, 50.0], [60.0, 60.0]])
    score = match(found, true, 1.0)
    # 0.9 is closest to 1, but then 1.8 would be left without a partner
    assert sorted(map(tuple, score["pairs"])) == [(0, 0), (1, 1)]
    assert score["precision"] == pytest.approx(2 / 4)
    assert score["recall"] == pytest.approx(2 / 3)
    assert score["f1"] == pytest.approx(4 / 7)
    assert match(np.zeros((0, 2)), true, 1.0)["recall"] == 0
