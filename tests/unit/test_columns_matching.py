import numpy as np
import pandas as pd
import pytest

from emrestore.columns.matching import fit_blind, match_stack, pool
from emrestore.errors import EmrestoreError
from emrestore.rng import stream

SHAPE = (40, 48)
TRUE = pd.DataFrame({"x": [4.0, 12.0, 20.0, 28.0], "y": [20.0] * 4, "scs": [100.0] * 4})


def table(*rows):
    """Fits (image, x, y, scs, converged, on_bound)."""
    fits = pd.DataFrame(rows, columns=["image", "x", "y", "scs", "converged", "on_bound"])
    fits["column"] = fits.groupby("image").cumcount()
    return fits


def test_every_count_of_a_known_scene():
    fits = table(
        (0, 4.1, 20.0, 100.0, True, False),  # matches what is not asked for
        (0, 0.0, 3.0, 100.0, True, False),  # matches nothing, near the edge
        (0, 12.3, 20.4, 110.0, True, False),  # distance 0.5
        (0, 12.9, 20.0, 50.0, True, False),  # a second one for the same column: found, not matched
        (0, 28.0, 21.5, 90.0, False, True),  # distance 1.5
        (0, np.nan, 20.0, 100.0, False, False),
        (0, 40.0, 10.0, 100.0, True, False),  # nothing there
    )
    status = pd.Series(["fitted", "no column"])
    pairs, scores = match_stack(fits, status, TRUE, SHAPE, radius=2.0, border=6.0)
    first, second = scores.to_dict("records")
    expected = {"found": 5, "true": 3, "matched": 2, "left_out_found": 2, "left_out_true": 1, "not_finite": 1}
    expected |= {"not_converged": 1, "on_bound": 1, "precision": 2 / 5, "recall": 2 / 3, "f1": 4 / 8}
    assert {key: first[key] for key in expected} == pytest.approx(expected)
    assert (second["found"], second["true"], second["recall"], second["status"]) == (0, 3, 0.0, "no column")
    assert pairs[["found", "column"]].to_numpy().tolist() == [[2, 1], [4, 3]]
    np.testing.assert_allclose(pairs[["x_error", "y_error", "scs_error"]], [[0.3, 0.4, 0.1], [0, 1.5, -0.1]])

    pooled = pool(pairs, scores)
    expected = {"precision": 2 / 5, "recall": 2 / 6, "f1": 4 / 11, "position": 1.0, "scs": 0.1, "images_without": 1}
    assert {key: pooled[key] for key in expected} == pytest.approx(expected)
    assert pooled["left_out_found"] == 2


def test_intervals_are_of_the_mean_where_images_hold_equally_many():
    rows, distances = [], [0.1, 0.3, 0.8, 0.4]
    for image, distance in enumerate(distances):
        rows += [(image, x + distance, 20.0, 100.0, True, False) for x in TRUE["x"]]
    pooled = pool(*match_stack(table(*rows), pd.Series(["fitted"] * 4), TRUE, SHAPE, 2.0, 0.0))
    # a ratio of sums with equal denominators is a mean, whose logarithm is jackknifed; t of 3 degrees of freedom: 3.182
    one_out = np.log((sum(distances) - np.array(distances)) / 3)
    half = 3.182 * np.sqrt(3 / 4 * ((one_out - one_out.mean()) ** 2).sum())
    assert pooled["position"] == pytest.approx(0.4)
    assert pooled["position_high"] / pooled["position"] == pytest.approx(np.exp(half), rel=1e-3)
    assert pooled["recall_low"] == pooled["recall_high"] == 1


def test_nothing_found_is_counted():
    pooled = pool(*match_stack(table(), pd.Series(["none", "none"]), TRUE, SHAPE, 2.0, 0.0))
    assert np.isnan(pooled["position"])
    assert (pooled["matched"], pooled["recall"], pooled["images_without"]) == (0, 0.0, 2)


def test_detect_fit_match():
    x, y = (axis.ravel() for axis in np.meshgrid(np.arange(6.0, 46, 9), np.arange(5.5, 40, 9)))
    rows, lines = np.mgrid[: SHAPE[0], : SHAPE[1]]
    sigma, height = 2.0, 40.0
    clean = (height * np.exp(-((rows[..., None] - y) ** 2 + (lines[..., None] - x) ** 2) / (2 * sigma**2))).sum(-1)
    true = pd.DataFrame({"x": x, "y": y, "scs": 2 * np.pi * sigma**2 * height})
    images = stream(2, "test_columns_matching").poisson(clean, (3, *SHAPE)).astype(float)
    images[1] = 0.0
    fits, status = fit_blind(images, spacing=9.0, background="zero")
    assert (status == "fitted").tolist() == [True, False, True]
    pairs, scores = match_stack(fits, status, true, SHAPE, radius=3.0, border=0.0)
    assert scores["recall"].tolist() == [1, 0, 1]
    assert scores["precision"].tolist() == [1, 1, 1]
    # least squares on Poisson counts without background: 4/3 of sigma / sqrt(1005 electrons of a column),
    # (16 / 6 sqrt(3)) (2 / sqrt(3)) = 16/9 of the Fisher variance; 80 values, so five standard errors are 5 / sqrt(160)
    rms = np.sqrt((pairs[["x_error", "y_error"]] ** 2).to_numpy().mean())
    assert rms == pytest.approx(4 / 3 * sigma / 1005**0.5, rel=5 / 160**0.5)


def test_a_single_image_is_refused():
    with pytest.raises(EmrestoreError, match=r"\(N, Y, X\)"):
        fit_blind(np.zeros((16, 16)))
