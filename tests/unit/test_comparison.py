"""Judging networks that learned wrong distortions: artefacts of known size, regions that are kept, tables, figure."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr
import yaml
from matplotlib import pyplot as plt

from emrestore import config, rng
from emrestore.columns.response import Lattice
from emrestore.distort import chain as chains
from emrestore.distort import noise
from emrestore.errors import EmrestoreError
from emrestore.plot.distortions_learned import distortions_figure
from emrestore.restore import Identity
from emrestore.train import comparison, data, experiment, lattices
from emrestore.train.report import JUDGED, annotation_table, change_table, distortion_table, resolution_table

DISTORTIONS = config.value(
    yaml.safe_load((Path(__file__).parents[2] / "config/config.yaml").read_text(encoding="utf-8")), "distortions"
)
LATTICE = Lattice(9, 9.8, 2.4, 1.2e-3, 1e-9, 0.2)
EDGE, SIGMA, PITCH = 96, 2.0, 9.3


def field(dx=0.0, dy=0.0, count=1):
    """Gaussian columns on an oblique lattice, each pixel displaced: dx, dy are numbers or (Y, 1) by row."""
    y, x = np.mgrid[:EDGE, :EDGE].astype(float)
    x, y = x - dx, y - dy
    row = np.round(y / PITCH)
    u = (x - 0.37 * PITCH * row) / PITCH
    squared = (PITCH * (u - np.round(u))) ** 2 + (y - PITCH * row) ** 2
    return np.repeat((np.exp(-squared / 2 / SIGMA**2))[None], count, 0).astype(np.float32)


def noisy(image, name, sigma=0.02):
    return image + sigma * rng.stream(5, name).standard_normal(image.shape).astype(np.float32)


@pytest.mark.parametrize("lag", [0.0, 0.3, -0.61, 2.2, 5.5])
def test_lag_is_found(lag):
    """The misfit of Gaussian columns goes as 1 - exp(-d² / 4σ²), so a parabola through steps h misplaces the vertex.

    By a share of h² / 8σ² at most, 0.2 % of the h / 2 = 0.125 px that it interpolates: 0.0003 px. Noise s on n = 82²
    pixels leaves s / √(n <T'²>), 0.02 / √(6700 x 0.03) = 0.0014 px: four of them.
    """
    found = comparison.lags(noisy(field(lag), "lag"), field())
    assert found == pytest.approx([lag], abs=0.006)


def test_lag_is_no_blur():
    """A symmetric blur moves nothing."""
    kernel = np.array([0.25, 0.5, 0.25], np.float32)
    blurred = np.apply_along_axis(lambda line: np.convolve(line, kernel, "same"), -1, field())
    assert comparison.lags(blurred, field()) == pytest.approx([0], abs=0.005)


@pytest.mark.parametrize("axis", [-1, -2])
def test_row_jitter_is_found(axis):
    """Rows displaced by s = 0.3 px differ by √2 s.

    81 differences of 82 rows know that to about 1 / √(2 x 81 x 2 / 3) = 10 %, as neighbouring differences share a row;
    weights that favour half of the rows to √2 x 10 % = 14 %. The next order of the expansion adds
    3 s² / 4 x <T''²> / <T'²> = 3 s² / 4 x 3 / 2σ² = 2.5 % to the square. Two standard deviations are 28 %.
    """
    spread = 0.3
    moved = spread * rng.stream(5, "jitter", axis).standard_normal((EDGE, 1))
    restored = field(moved, 0.0) if axis == -1 else field(0.0, moved)
    assert comparison.row_jitter(restored, field(), axis) == pytest.approx([np.sqrt(2) * spread], rel=0.3)
    assert comparison.row_jitter(field(), field(), axis) == 0


def test_rows_that_lag_alike_do_not_jitter():
    """With the lag taken off, what is left is its error, 0.002 px, and alike for all rows."""
    found = comparison.artefacts(field(0.8), field())
    assert found["lag"] == pytest.approx(0.8, abs=0.005)
    assert found["jitter_x"] < 0.01
    assert found["jitter_y"] < 0.01


def test_noise_moves_rows_as_theory_says():
    """White noise of s: d of a row has variance s² / Σ T'².

    With weights min(a, b) each term is s² min(a, b) (1 / a + 1 / b), between s² and 2 s², over the mean weight.
    """
    found = comparison.row_jitter(noisy(field(), "rows", 0.02), field(), -2)[0]
    known = (comparison.derivative(field(), -2)[comparison.INSIDE].astype(float) ** 2).sum(axis=-1)[0]
    weight = np.minimum(known[1:], known[:-1]).mean()
    # 81 squares of normal numbers, neighbours correlated: their mean is known to √(2 x 1.5 / 81) = 20 %
    assert 0.02**2 / weight * (1 - 0.4) < found**2 < 2 * 0.02**2 / weight * (1 + 0.4)


def test_streaks_are_a_share():
    """White noise has 1 / X of its variance in row means; the variance of X row means is known to √(2 / X) = 14 %."""
    truth = field()
    assert comparison.streaks(noisy(truth, "white"), truth) == pytest.approx([1 / EDGE], rel=3 * np.sqrt(2 / EDGE))
    rows = rng.stream(5, "rows").standard_normal((EDGE, 1)).astype(np.float32)
    assert comparison.streaks(truth + rows, truth) == pytest.approx([1.0], abs=1e-4)
    assert comparison.streaks(truth + rows.T, truth) < 1e-6
    assert comparison.streaks(truth, truth) == 0


def test_artefacts_are_medians_over_images():
    stack = np.concatenate([field(0.5), field(0.5), field(3.0)])
    found = comparison.artefacts(stack, field(count=3))
    assert found["lag"] == pytest.approx(0.5, abs=0.005)
    assert found["jitter_x"] < 0.01


def pool(count=8, edge=64):
    images = (noisy(field(count=count), "pool", 0.05).clip(1e-3) / 1.5 * 65535).astype(np.uint16)[:, :edge, :edge]
    return data.Pool(torch.from_numpy(images), torch.full((count,), 0.2), torch.zeros(count))


def test_pairs_in_electrons_have_their_dose():
    chain = replace(chains.build(DISTORTIONS, "stem"), effects=())
    found = experiment.draw(pool(), chain, 5, 3, "scores")
    truth, distorted = experiment.in_electrons(found)
    assert np.allclose(truth.mean(axis=(1, 2)), found.dose, rtol=1e-5)
    assert np.allclose(truth, distorted, rtol=1e-5)
    assert found.dose.shape == found.pixel_size.shape == (5,)
    assert ((found.dose >= 0.5) & (found.dose <= 750)).all()  # the range of the exposure


def test_changed_settings_change_nothing_else():
    fixed = comparison.changed(DISTORTIONS, "stem", {"fast_scan": {"dwell_time": [0.05, 0.05]}})
    one, other = (experiment.draw(pool(), c, 5, 3, "x") for c in (fixed, chains.build(DISTORTIONS, "stem")))
    assert one.drawn["fast_scan"]["dwell_time"].tolist() == pytest.approx([0.05] * 5)
    assert not torch.equal(one.drawn["fast_scan"]["detector"], other.drawn["fast_scan"]["detector"])
    assert torch.equal(one.drawn["jitter"]["sigma_y"], other.drawn["jitter"]["sigma_y"])
    assert np.array_equal(one.dose, other.dose)
    with pytest.raises(EmrestoreError, match="dwell"):
        comparison.changed(DISTORTIONS, "stem", {"fast_scan": {"dwell": [1, 1]}})


def test_annotated_and_cropped_pixels_are_those_that_both_images_share():
    always = {name: {"probability": 1} for name in ("annotations", "cropping")}
    chain = comparison.changed(DISTORTIONS, "stem", always)
    found = experiment.draw(pool(), chain, 8, 3, "overlays")
    regions = comparison.overlays(chain, found.drawn, found.truth.shape[1:])
    assert set(regions) == {"annotated", "cropped"}
    inside = regions["annotated"] | regions["cropped"]
    assert regions["annotated"].any()
    assert regions["cropped"].any()
    assert not (regions["annotated"] & regions["cropped"]).any()
    # painting, image + (level - image), rounds: three operations in single precision
    rounding = 3 * np.finfo(np.float32).eps * found.distorted.max()
    assert np.abs(found.truth - found.distorted)[inside].max() < rounding
    # cropped borders reach the image's edge, and are all of an edge's pixels that are alike there
    drawn = found.drawn["cropping"]
    expected = [t * 64 + b * 64 for t, b in zip(drawn["top"].tolist(), drawn["bottom"].tolist(), strict=True)]
    rest = [(64 - t - b) * (left + right) for t, b, left, right in zip(
        *(drawn[side].tolist() for side in ("top", "bottom", "left", "right")), strict=True)]  # fmt: skip
    assert regions["cropped"].sum(axis=(1, 2)).tolist() == [a + b for a, b in zip(expected, rest, strict=True)]
    never = comparison.overlays(chains.build(DISTORTIONS, "scanned"), found.drawn, (64, 64))
    assert never == {}
    off = {**found.drawn, "annotations": {**found.drawn["annotations"], "occurs": torch.zeros(8, dtype=torch.bool)}}
    assert not comparison.overlays(chain, off, (64, 64))["annotated"].any()


def test_changes_by_hand():
    truth = np.zeros((2, 8, 8))
    truth[:, 0, 0] = (2.0, 4.0)
    restored = truth.copy()
    region = np.zeros((2, 8, 8), bool)
    region[0, 2:4] = True
    restored[0, 2] += 0.4
    restored[1, 5, 5] -= 1.0
    found = comparison.changes_of(restored, truth, {"annotated": region, "cropped": np.zeros_like(region)})
    assert found["annotated"] == pytest.approx(0.1)  # half of the region by 0.4 of a maximum of 2
    assert np.isnan(found["cropped"])
    assert found["elsewhere"] == pytest.approx((0 + 0.25 / 64) / 2)


def test_positions_in_images_that_were_not_distorted_are_those_of_the_audit():
    """Shot noise alone: the error is that of test_columns_of_raw_images_are_measured_without_bias."""
    shot = chains.build(DISTORTIONS, "poisson")
    assert 0.2 < lattices.position_rmse(Identity(), LATTICE, shot, 1e6, 10.0, 4, 1, 3) < 0.4
    lagging = comparison.changed(
        {**DISTORTIONS, "chains": {"lag": ["shot", "fast_scan", "cropping"]}},
        "lag",
        {"fast_scan": {"dwell_time": [0.05, 0.05]}, "cropping": {"probability": 1}},
    )
    assert lattices.moves_columns(lagging)
    assert not lattices.moves_columns(shot)
    keys = noise.keys(rng.key(3, "lattices"), 4)
    drawn = lagging.sample(keys, torch.ones(4, 1, *LATTICE.shape), 0.2, 1.0)["fast_scan"]
    # a lag of more than a dwell is seen as such, 20 pm along x and 14 pm of both axes: cropping would break fits
    assert (drawn["detector"] > 0.2).all()
    assert 14 < lattices.position_rmse(Identity(), LATTICE, lagging, 1e6, 10.0, 4, 1, 3) < 200


# --- tables and figure ----------------------------------------------------------------------------------------------


def scores(seeds=(0, 1)):
    """Two conditions; the wrong chain costs 2 dB, doubles L1 and leaves a lag of -0.4 px, the right one of 0.1 px."""
    rows = []
    for condition in ("typical", "dwell_200_ns"):
        for network, psnr, l1, lag in (("raw", 10, 0.4, 1.0), ("stem", 20, 0.1, 0.1), ("slow", 18, 0.2, -0.4)):
            for seed in (0,) if network == "raw" else seeds:
                row = dict.fromkeys(JUDGED, 1.0) | {"psnr": psnr + seed, "l1": l1, "lag": lag}
                rows.append({"condition": condition, "network": network, "seed": seed} | row)
    return pd.DataFrame(rows)


def test_what_a_wrong_chain_changes_is_paired_by_seed():
    table = change_table(scores(), "stem", {"dwell_200_ns": "slow", "jittered": "absent"})
    assert table["condition"].tolist() == ["dwell_200_ns"]
    row = table.iloc[0]
    assert (row["psnr"], row["psnr_low"], row["psnr_high"]) == pytest.approx((-2, -2, -2))
    assert (row["l1_ratio"], row["l1_ratio_low"]) == pytest.approx((2, 2))
    assert row["lag"] == pytest.approx(0.3)  # sizes are compared
    means = distortion_table(scores()).set_index(["condition", "network"])
    assert means.loc[("typical", "stem"), "psnr"] == pytest.approx(20.5)
    assert means.loc[("typical", "raw"), "seeds"] == 1


def test_what_networks_apart_gain_is_paired_by_seed():
    base = {"modality": "lrstem", "dose": "low", "median_dose": 200.0, "ssim": 0.5, "l1": 0.1}
    rows = [base | {"network": "raw", "seed": 0, "psnr": 10.0}]
    rows += [base | {"network": "together", "seed": seed, "psnr": 20.0 + seed} for seed in (0, 1)]
    rows += [base | {"network": "apart_lr", "seed": seed, "psnr": 20.5 + seed} for seed in (0, 1)]
    table = resolution_table(pd.DataFrame(rows)).set_index("network")
    assert (table.loc["apart_lr", "gain"], table.loc["apart_lr", "gain_low"]) == pytest.approx((0.5, 0.5))
    assert table.loc["together", "gain"] == 0
    assert np.isnan(table.loc["raw", "gain"])


def test_changes_of_annotations_are_means_over_seeds():
    rows = [
        {"experiment": "networks", "network": "compact", "seed": seed, "annotated": 0.1 + 0.1 * seed, "cropped": 0.1,
         "elsewhere": 0.2} for seed in (0, 1)
    ]  # fmt: skip
    assert annotation_table(pd.DataFrame(rows)).iloc[0]["annotated"] == pytest.approx(0.15)


def test_figure_has_a_panel_for_every_image_and_score():
    kinds = ["raw", "wrong", "right", "truth"]
    panels = xr.Dataset(
        {
            "image": (("condition", "kind", "y", "x"), np.repeat(field(count=4)[None], 1, 0).astype(np.float16)),
            "psnr": (("condition", "restored"), [[10.0, 18.0, 20.0]]),
            "pixel_size": ("condition", [0.2]),
            "dose": ("condition", [100.0]),
            "shows": ("condition", ["slow"]),
        },
        coords={"condition": ["dwell_200_ns"], "kind": kinds, "restored": kinds[:3]},
    )
    figure = distortions_figure(panels, distortion_table(scores()), "stem")
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title("left").split(" ")[-2] for axis in shown[1:3]] == ["18.0", "20.0"]
    assert len(figure.axes) == len(kinds) + 4
    offset = [line.get_xdata()[0] for line in figure.axes[4].lines if len(line.get_xdata()) == 1]
    assert offset == pytest.approx([10, 18.5, 20.5])
    plt.close(figure)
