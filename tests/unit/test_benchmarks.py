"""Benchmarks: the authors' pairs as published, our own in electrons, scores and summaries by hand, and the figure."""

import importlib.util
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import study_tables
import xarray as xr
from scipy.stats import t as student_t

from emrestore import authors, store
from emrestore.benchmarks import summary
from emrestore.errors import EmrestoreError
from emrestore.image.shard import LEVELS
from emrestore.metrics import image_scores, scores_by_image
from emrestore.plot.benchmarks import benchmarks_figure
from emrestore.plot.style import style
from emrestore.rng import stream

DISTORTIONS = {
    "exposure": {"dose": [50.0, 400.0], "law": "exponential", "scale": 0.5, "scale_unit": "range"},
    "effects": {"shot": {"effect": "shot", "probability": 1.0}},
    "chains": {"poisson": ["shot"]},
}


def script(name):
    path = Path(__file__).parents[2] / "src" / "scripts" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_authors_pairs_are_scanned_along_x():
    """Jitter moves each row by itself, so the error changes more from row to row than along one; less if axes were
    swapped."""
    truth, distorted = authors.pairs("hrstem")
    assert truth.shape == distorted.shape == (8, 256, 256)
    assert truth.dtype == np.float32
    error = distorted - truth
    along, across = (np.abs(np.diff(error, axis=axis)).mean() for axis in (2, 1))
    assert across > along


def test_pairs_are_numbered_through_and_the_first_are_development(tmp_path):
    script("read_authors_pairs").main(tmp_path / "lrsem.nc", modality="lrsem", development=3)
    pairs = store.read(tmp_path / "lrsem.nc")
    assert list(pairs.image.values) == list(range(8))
    assert list(pairs.split.values) == ["development"] * 3 + ["release"] * 5
    # one pair is undistorted
    assert (pairs.truth == pairs.distorted).all(("y", "x")).sum() == 1


def test_files_that_are_not_the_published_ones_are_refused(tmp_path, monkeypatch):
    with pytest.raises(EmrestoreError, match="hrtem"):
        authors.pairs("hrtem")
    monkeypatch.setattr(authors, "package_file", lambda name: tmp_path / Path(name).name)
    with pytest.raises(EmrestoreError, match="missing; reinstall"):
        authors.pairs("lrtem")
    (tmp_path / "sfr_lrtem.h5").write_bytes(b"another file")
    with pytest.raises(EmrestoreError, match="not the published file"):
        authors.pairs("lrtem")


@pytest.fixture(scope="module")
def shard(tmp_path_factory):
    """Three clean images, each of one level."""
    levels = np.rint(LEVELS * np.array([0.25, 0.5, 1.0])).astype(np.uint16)
    dataset = xr.Dataset(
        {
            "image": (
                ("number", "y", "x"),
                np.broadcast_to(levels[:, None, None], (3, 64, 64)),
                {"scale_factor": np.float32(1 / LEVELS)},
            ),
            "pixel_size": ("number", [0.1, 0.2, 0.3]),
            "drawn": ("number", [json.dumps({})] * 3),
        }
    )
    path = tmp_path_factory.mktemp("shard") / "0.nc"
    store.write(dataset, path, {})
    return path


def draw(shard, path, images):
    settings = dict(modality="hrstem", edge=128, distortions=DISTORTIONS, chain="poisson", seed=3)
    script("draw_benchmark").main([shard], path, images=images, **settings)
    return store.read(path)


def test_own_pairs_are_of_each_image_once_and_in_electrons(shard, tmp_path):
    pairs = draw(shard, tmp_path / "pairs.nc", 3)
    assert set(pairs.split.values) == {"validation"}
    assert list(pairs.image.values) == [0, 1, 2]
    truth, distorted = pairs.truth.values, pairs.distorted.values
    assert truth.shape == (3, 64, 64)
    # the drawn dose is the mean of the truth, whatever the level of the image
    assert ((truth.mean(axis=(1, 2)) >= 50) & (truth.mean(axis=(1, 2)) <= 400)).all()
    np.testing.assert_allclose(distorted, np.rint(distorted), atol=1e-3)
    # Poisson: the relative error of a variance from n pixels is sqrt(2/n) = 2 %, here of each image
    variance = ((distorted - truth) ** 2 / truth).mean(axis=(1, 2))
    np.testing.assert_allclose(variance, 1, atol=4 * np.sqrt(2 / 64**2))
    np.testing.assert_array_equal(draw(shard, tmp_path / "fewer.nc", 2).distorted, pairs.distorted[:2])
    with pytest.raises(EmrestoreError, match="4 pairs need as many clean hrstem images, not 3"):
        draw(shard, tmp_path / "more.nc", 4)


def test_scores_are_of_single_images_and_a_pair_without_distortion_has_none(tmp_path):
    truth = np.broadcast_to(np.linspace(0, 4, 32, dtype=np.float32), (4, 32, 32)).copy()
    # wrong everywhere by a tenth and by a hundredth of the maximum: PSNR of 20 and 40 dB; the last pair is undistorted
    distorted = truth + np.array([0.4, 0.04, 0.4, 0], np.float32)[:, None, None]
    axes = ("image", "y", "x")
    splits = ["development", "development", "release", "release"]
    pairs = xr.Dataset({"truth": (axes, truth), "distorted": (axes, distorted), "split": ("image", splits)})
    store.write(pairs.assign_coords(image=np.arange(4)), tmp_path / "pairs.nc", {})

    def score(images):
        settings = dict(sets=["authors"], modality="lrsem", method="raw", model="identity", precision="fp32")
        script("score_benchmark").main([], [tmp_path / "pairs.nc"], tmp_path / "t.csv", images=images, **settings)
        return pd.read_csv(tmp_path / "t.csv")

    table = score("all")
    assert list(table["image"]) == [0, 1, 2, 3]
    assert list(table["split"]) == splits
    np.testing.assert_allclose(table["psnr"], [20, 40, 20, np.nan], atol=1e-3)
    np.testing.assert_allclose(table["l1"], [0.1, 0.01, 0.1, np.nan], rtol=1e-4)
    assert table["ssim"].isna().tolist() == [False, False, False, True]
    assert list(score(1)["image"]) == [0, 2]


def test_scores_by_image_have_the_means_of_image_scores():
    draws = stream(1, "scores")
    truth, images = draws.uniform(0, 1, (2, 3, 16, 16))
    single, mean = scores_by_image(images, truth), image_scores(images, truth)
    for name, values in single.items():
        assert values.shape == (3,)
        assert mean[name] == pytest.approx(values.mean())
    assert single["ssim"][1] == pytest.approx(scores_by_image(images[1:2], truth[1:2])["ssim"][0])


def test_summary_by_hand():
    table = summary(study_tables.benchmarks()).set_index(["split", "modality", "method"])
    row = table.loc["validation", "hrstem", "raw"]
    # 20, 21 and 22 dB
    half = student_t.ppf(0.975, 2) / np.sqrt(3)
    assert tuple(row[["psnr", "psnr_low", "psnr_high"]]) == pytest.approx((21, 21 - half, 21 + half))
    assert np.isnan(row["psnr_over_raw"])
    assert row["psnr_over_published"] == pytest.approx(-10)
    row = table.loc["release", "lrsem", "trained"]
    assert (row["images"], row["left_out"]) == (2, 1)
    # differences of 1 dB, all alike
    ends = tuple(row[[f"psnr_over_published{end}" for end in ("", "_low", "_high")]])
    assert ends == pytest.approx((1, 1, 1))


def test_differences_are_of_images_that_both_have():
    scores = study_tables.benchmarks()
    some = scores[(scores["method"] != "bm3d") | (scores["image"] == 2)]
    row = summary(some).set_index(["split", "modality", "method"]).loc["validation", "hrstem", "bm3d"]
    # of the last image alone: 29 dB over 22 dB, and no interval
    assert row["psnr_over_raw"] == pytest.approx(7)
    assert np.isnan(row["psnr_over_raw_low"])


def test_figure_shows_every_method_and_what_it_costs():
    with style():
        figure = benchmarks_figure(summary(study_tables.benchmarks()), study_tables.costs(), "hrstem")
        figure.draw_without_rendering()
        named = [text.get_text() for text in figure.legends[0].get_texts()]
        points = [[container.lines[0].get_xydata() for container in axis.containers] for axis in figure.axes]
        titles = [axis.title.get_window_extent() for axis in figure.axes]
        plt.close(figure)
    assert named == ["BM3D", "published CGRDN", "ours"]
    # methods; methods and splits; what has multiply-adds, and what has seconds, on our pairs and on the authors'
    assert [len(series) for series in points] == [3, 6, 4, 6]
    np.testing.assert_allclose(points[0][1][:, 1], [10, 10])
    np.testing.assert_allclose(points[2][1], [[0.95e3, 11]])
    np.testing.assert_allclose(points[3][0], [[0.95 * 3, 6]])
    assert not titles[0].overlaps(titles[1])
