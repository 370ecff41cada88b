"""Atom counting against the theory of overlapping normal distributions."""

import numpy as np
import pytest
from scipy.stats import norm

from emrestore.columns.count import (
    check_library,
    confusion,
    count_by_library,
    count_by_mixture,
    fraction_right,
    natural_breaks,
)
from emrestore.errors import EmrestoreError
from emrestore.rng import stream

LIBRARY = 1.5 + np.arange(1.0, 9.0)  # steps of one
EXACT = np.full(8, 1e-3)
TRUE = 1 + np.arange(400) % 8  # 50 columns of each of 1 ... 8 atoms


def noisy(sigma: float, images: int, name: str) -> np.ndarray:
    return LIBRARY[TRUE - 1] + sigma * stream(1, "test_columns_count", name).standard_normal((images, len(TRUE)))


def test_nearest_value_is_right_as_often_as_normal_distributions_overlap():
    # inside, a column is right within half a step either way: 2 Φ(Δ / 2σ) - 1; at the ends on one side: Φ(Δ / 2σ)
    sigma = 0.6
    counts = count_by_library(noisy(sigma, 200, "overlap"), LIBRARY, EXACT)
    right = counts.atoms == TRUE
    ends = (TRUE == 1) | (TRUE == 8)
    for which, theory in ((~ends, 2 * norm.cdf(0.5 / sigma) - 1), (ends, norm.cdf(0.5 / sigma))):
        n = right[:, which].size
        assert abs(right[:, which].mean() - theory) < 4 * np.sqrt(theory * (1 - theory) / n)
    # beyond the ends by more than half a step lie 1 - Φ(Δ / 2σ) of the end columns, and few others
    share = counts.beyond[:, ends].mean()
    theory = norm.sf(0.5 / sigma)
    assert abs(share - theory) < 4 * np.sqrt(theory * (1 - theory) / counts.beyond[:, ends].size)


def test_nearest_value_holds_for_steps_of_unequal_width():
    library = np.array([1.0, 2.0, 4.0, 8.0])
    scs = np.array([[0.2, 1.4, 1.6, 2.9, 3.1, 5.9, 6.1, 9.9, 10.1]])
    counts = count_by_library(scs, library, np.full(4, 0.01))
    assert counts.atoms.tolist() == [[1, 1, 2, 2, 3, 3, 4, 4, 4]]
    assert counts.beyond.tolist() == [[True] + 7 * [False] + [True]]


def test_a_library_that_cannot_tell_neighbours_apart_is_refused():
    check_library([1, 2, 3], [0.6, 0.6, 0.6])  # a step of 1 against √(0.6² + 0.6²) = 0.85
    with pytest.raises(EmrestoreError, match=r"from 2 to 3 atoms .* raise the number of phonon configurations"):
        count_by_library([1.0], [1, 2, 2.5], [0.1, 0.4, 0.4])
    with pytest.raises(EmrestoreError, match="from 1 to 2"):
        check_library([2, 1], [0, 0])
    with pytest.raises(EmrestoreError, match="at least two phonon configurations"):
        check_library([1, 2], [np.nan, np.nan])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_columns_without_a_cross_section_are_flagged_and_kept(bad):
    scs = noisy(0.05, 2, "bad")
    scs[1, [3, 77]] = bad
    kept = np.ones(scs.shape, bool)
    kept[1, [3, 77]] = False
    for found in (count_by_library(scs, LIBRARY, EXACT), count_by_mixture(scs, 8, library=LIBRARY)):
        assert (found.counted == kept).all()
        assert (found.atoms[~kept] == 0).all()
        assert (found.atoms == TRUE)[kept].all()
    share = fraction_right(TRUE, found.atoms)
    assert share["not_counted"] == 2
    assert share["right"] == 1 - 2 / scs.size
    assert confusion(TRUE, found.atoms, 8)[:, 0].sum() == 2


def test_the_criterion_finds_the_number_of_components_and_their_parameters():
    # neighbours 6.7 σ apart: a column in 1,200 crosses, and no image finds another number of components
    scs = noisy(0.15, 5, "separate")
    found = count_by_mixture(scs, 12, library=1.5 + np.arange(1.0, 15.0))
    assert (found.components == 8).all()
    assert (found.offset == 0).all()
    # 50 values a component: the standard error of a centre is 0.15 / √50; that of the width 0.15 / √800
    assert np.abs(found.means[:, :8] - LIBRARY).max() < 4.5 * 0.15 / np.sqrt(50)
    assert np.abs(found.width - 0.15).max() < 4 * 0.15 / np.sqrt(800)
    assert found.weights[:, :8] == pytest.approx(np.full((5, 8), 1 / 8), abs=0.01)
    assert np.isnan(found.means[:, 8:]).all()
    assert fraction_right(TRUE, found.atoms)["right"] > 1 - 5 / 1200
    # the misfit at the true offset is the centres' error, 0.15 / √50 = 0.021; one atom off it is one
    assert (found.ambiguity < 0.05).all()


def test_overlapping_components_are_merged_by_the_criterion():
    # 0.8 σ apart nothing separates the eight; memberships are shared and their entropy forbids components
    assert (count_by_mixture(noisy(1.25, 3, "merged"), 8, thinnest=1).components < 8).all()


def test_the_offset_comes_from_the_thinnest_column_or_the_library():
    keep = TRUE > 3
    scs = noisy(0.1, 1, "offset")[:, keep]
    assert (count_by_mixture(scs, 8, thinnest=4).atoms == TRUE[keep]).all()
    library = count_by_mixture(scs, 8, library=LIBRARY)
    assert library.offset == 3
    assert (library.atoms == TRUE[keep]).all()
    # two offsets that fit alike: centres midway between the library's values
    halfway = count_by_mixture(scs + 0.5, 5, library=1.5 + np.arange(1.0, 14.0))
    assert halfway.ambiguity > 0.9


def test_units_do_not_matter():
    scs = noisy(0.2, 2, "units")
    one, other = (count_by_mixture(scale * scs, 10, thinnest=1) for scale in (1.0, 1e-3))
    assert (one.atoms == other.atoms).all()
    assert other.width == pytest.approx(1e-3 * one.width, rel=1e-6)


def test_images_that_hold_nothing_to_count():
    scs = np.full((3, 5), np.nan)
    scs[1] = 2.0
    scs[2, 0] = 1.0
    found = count_by_mixture(scs, 3, library=LIBRARY)
    assert (found.components == 0).all()
    assert not found.counted.any()
    assert not found.atoms.any()


def test_what_the_mixture_refuses():
    with pytest.raises(EmrestoreError, match="give one of them"):
        count_by_mixture([1.0, 2.0], 2)
    with pytest.raises(EmrestoreError, match="lower 'most'"):
        count_by_mixture([1.0, 2.0], 9, library=LIBRARY)


def test_natural_breaks_are_the_best_of_all_partitions():
    values = stream(1, "breaks").standard_normal((4, 9))
    counted = np.ones(values.shape, bool)
    counted[2, 4:6] = False
    found = natural_breaks(values, counted, 3)[2]
    for row, mask, means in zip(values, counted, found, strict=True):
        x = np.sort(row[mask])
        every = [(x[:i], x[i:j], x[j:]) for i in range(1, len(x) - 1) for j in range(i + 1, len(x))]
        best = min(every, key=lambda parts: sum(((part - part.mean()) ** 2).sum() for part in parts))
        assert means == pytest.approx([part.mean() for part in best])


def test_confusion_has_true_numbers_in_rows():
    table = confusion(np.array([1, 2, 2]), np.array([[1, 2, 3], [0, 3, 7]]), 3)
    assert table.sum() == 6
    assert table[1].tolist() == [1, 1, 0, 0]
    assert table[2].tolist() == [0, 0, 1, 3]


def test_the_fraction_right_has_an_interval_where_all_are_right_and_where_columns_move_together():
    sure = fraction_right(TRUE[:100], np.tile(TRUE[:100], (5, 1)))
    assert sure["right"] == sure["right_high"] == 1
    # Wilson with all of n right: n / (n + z²)
    assert sure["right_low"] == pytest.approx(500 / (500 + norm.ppf(0.975) ** 2))
    # images entirely right or wrong: t(4) √(p (1 - p) / (R - 1)) with p = 3/5 exceeds one, Wilson's 0.04 is blind to it
    together = TRUE[:100] * np.array([[1], [1], [1], [0], [0]])
    found = fraction_right(TRUE[:100], together)
    assert found["right"] == 0.6
    assert found["right_low"] == 0
    assert found["right_high"] == 1
    assert found["not_counted"] == 200
