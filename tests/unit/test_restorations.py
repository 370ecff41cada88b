"""Fig. 2 from made-up shards: what is chosen, its unit, its scores and its figure."""

import importlib.util
import json
from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.text import Text

from emrestore import store
from emrestore.errors import EmrestoreError
from emrestore.image.shard import LEVELS
from emrestore.plot.restorations import RANGE, restorations_figure
from emrestore.plot.style import style
from emrestore.rng import stream

KINDS = [("points", 0.15), ("crystalline", 0.3), ("crystalline", 0.12), ("crystalline", 0.19), ("crystalline", 0.15)]
EDGE = 64
DISTORTIONS = {
    "exposure": {"dose": [50.0, 400.0], "law": "exponential", "scale": 0.5, "scale_unit": "range"},
    "effects": {"shot": {"effect": "shot", "probability": 1.0}},
    "chains": {"poisson": ["shot"]},
}
SETTINGS = dict(
    modality="hrstem", kind="crystalline", pixel_size=[0.1, 0.2], distortions=DISTORTIONS, chain="poisson", seed=1
)


def script(name):
    path = Path(__file__).parents[2] / "src" / "scripts" / f"{name}.py"
    specification = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A shard of images that rise along x, image n from 0.1 n; numbered from 64 on, as of a later shard."""
    rise = np.linspace(0.5, 1.0, EDGE)
    levels = [np.rint((rise - 0.1 * number) * LEVELS) for number in range(len(KINDS))]
    drawn = [json.dumps({"kind": kind, "pixel_size": pixel_size}) for kind, pixel_size in KINDS]
    dataset = xr.Dataset(
        {
            "image": (
                ("number", "y", "x"),
                np.stack([np.tile(row, (EDGE, 1)) for row in levels]).astype(np.uint16),
                {"scale_factor": np.float32(1 / LEVELS)},
            ),
            "pixel_size": ("number", [pixel_size for _, pixel_size in KINDS]),
            "drawn": ("number", drawn),
        },
        coords={"number": [64, 65, 66, 67, 68]},
    )
    path = tmp_path_factory.mktemp("shard") / "1.nc"
    store.write(dataset, path, {})
    return path


@pytest.fixture(scope="module")
def pairs(images):
    path = images.parent / "pairs.nc"
    script("draw_examples").main(images, path, specimens=2, **SETTINGS)
    return path


def test_the_first_of_the_kind_and_pixel_size_are_chosen(pairs):
    source = store.read(pairs)
    assert list(source.number.values) == [66, 67]
    assert list(source.pixel_size.values) == [0.12, 0.19]


def test_truth_and_distorted_images_are_in_electrons(pairs):
    source = store.read(pairs)
    truth, counts = source.truth.values, source.counts.values
    # image n has a mean of 0.75 - 0.1 n; the drawn dose is the mean of the truth
    shape = truth / truth.mean(axis=(1, 2), keepdims=True)
    assert shape[0, 0, 0] == pytest.approx(0.3 / 0.55, rel=1e-3)
    assert (truth.mean(axis=(1, 2)) >= 50).all()
    assert (truth.mean(axis=(1, 2)) <= 400).all()
    # counts of electrons: whole, their mean known to its Poisson error, whose variance is the mean
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3)
    difference = (counts - truth).sum(axis=(1, 2)) / np.sqrt(truth.sum(axis=(1, 2)))
    assert (np.abs(difference) < 4).all()
    # the relative error of a variance from n pixels is sqrt(2/n) = 2 %
    assert ((counts - truth) ** 2 / truth).mean() == pytest.approx(1, abs=4 * np.sqrt(2 / counts.size))


def test_an_example_does_not_depend_on_the_others(images, pairs, tmp_path):
    script("draw_examples").main(images, tmp_path / "one.nc", specimens=1, **SETTINGS)
    np.testing.assert_array_equal(store.read(tmp_path / "one.nc").counts, store.read(pairs).counts[:1])


def test_too_few_images_of_the_kind_are_refused(images, tmp_path):
    with pytest.raises(EmrestoreError, match="has 3 crystalline images"):
        script("draw_examples").main(images, tmp_path / "four.nc", specimens=4, **SETTINGS)


def test_scores_are_those_of_known_errors(pairs, tmp_path):
    source = store.read(pairs)
    peak = source.truth.max(("y", "x"))
    # wrong everywhere by a tenth of the maximum: PSNR of 20 dB, L1 of 0.1
    store.write(source.assign(counts=source.truth + 0.1 * peak), tmp_path / "off.nc", {})
    script("score_examples").main(pairs, [tmp_path / "off.nc"], tmp_path / "t.csv", methods=["off"])
    table = pd.read_csv(tmp_path / "t.csv")
    assert list(zip(table["specimen"], table["method"], strict=True)) == [
        (66, "raw"),
        (66, "off"),
        (67, "raw"),
        (67, "off"),
    ]
    off = table[table["method"] == "off"]
    np.testing.assert_allclose(off["psnr"], 20, atol=1e-4)
    np.testing.assert_allclose(off["l1"], 0.1, atol=1e-5)
    np.testing.assert_allclose(off["dose"], source.truth.mean(("y", "x")), rtol=1e-5)


def test_figure_shows_each_method_with_its_score_on_the_truths_grey_scale():
    draws = stream(0, "figure")
    methods = ["raw", "bm3d", "published", "compact", "wide_network"]
    images = {method: draws.uniform(0, 9, (2, EDGE, EDGE)) for method in methods}
    truth = draws.uniform(0, [[[2.0]], [[4.0]]], (2, EDGE, EDGE))
    scores = pd.DataFrame(
        [
            {"specimen": number, "method": method, "psnr": 10.0 * row + place, "pixel_size": 0.1, "dose": 120.0}
            for row, number in enumerate((5, 3))
            for place, method in enumerate(methods)
        ]
    )
    with style():
        figure = restorations_figure(images, truth, scores)
        figure.draw_without_rendering()
        titles = [axis.get_title("left") for axis in figure.axes]
        limits = [axis.images[0].get_clim() for axis in figure.axes]
        shown = [axis.images[0].get_array() for axis in figure.axes]
        texts = [text for axis in figure.axes for text in axis.findobj(Text) if text.get_text().strip()]
        extents = [text.get_window_extent() for text in texts]
        bounds = figure.bbox
        plt.close(figure)
    assert titles[:3] == ["(a) distorted\n0.0 dB", "(b) BM3D\n1.0 dB", "(c) published CGRDN\n2.0 dB"]
    assert titles[10] == "(k) wide_network\n14.0 dB"
    assert titles[11].startswith("(l) undistorted")
    for row in range(2):
        assert limits[6 * row : 6 * row + 6] == [tuple(np.percentile(truth[row], RANGE))] * 6
    np.testing.assert_array_equal(shown[7], images["bm3d"][1])
    # titles, the names of the rows and their scale bars
    assert len(texts) == 12 + 2 + 2
    assert not any(one.overlaps(two) for one, two in combinations(extents, 2))
    assert all(bounds.x0 <= one.x0 and one.x1 <= bounds.x1 and one.y1 <= bounds.y1 for one in extents)
