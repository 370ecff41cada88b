"""Fig. 6 from made-up micrographs: how files are read, what is checked without a truth, and the figure."""

import importlib.util
from pathlib import Path

import h5py
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import study_tables
import xarray as xr

from emrestore import store
from emrestore.authors import package_file
from emrestore.errors import EmrestoreError
from emrestore.micrographs import mirror_difference, neighbour_correlation, read_crop
from emrestore.numbers import micrograph_numbers
from emrestore.plot.micrographs import COLUMNS, micrographs_figure
from emrestore.plot.style import style
from emrestore.rng import stream
from emrestore.workflow import sha256

ROOT = Path(__file__).parents[2]


def script(name):
    specification = importlib.util.spec_from_file_location(name, ROOT / "src" / "scripts" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def recorded(tmp_path):
    """Two micrographs of 40 x 30 px (x, y), image n worth 10000 n + 100 x + y, written column by column."""
    number, x, y = np.meshgrid(np.arange(2), np.arange(40), np.arange(30), indexing="ij")
    path = tmp_path / "micrographs.h5"
    with h5py.File(path, "w") as file:
        file["x"] = (10000 * number + 100 * x + y).astype(np.uint16)[:, None]
    return path


def test_the_files_first_axis_is_x(recorded):
    crop = read_crop(recorded, sha256(recorded), image=1, x=7, y=3, edge=8)
    assert crop.shape == (8, 8)
    assert crop[0, 0] == 10703
    assert crop[0, 1] - crop[0, 0] == 100
    assert crop[1, 0] - crop[0, 0] == 1


@pytest.mark.parametrize("change", [{"image": 2}, {"x": 33}, {"y": 23}, {"edge": 31}])
def test_a_crop_outside_is_refused(recorded, change):
    with pytest.raises(EmrestoreError, match="2 images of 40 x 30 px"):
        read_crop(recorded, sha256(recorded), **{"image": 0, "x": 0, "y": 0, "edge": 8} | change)


def test_another_file_is_refused(recorded):
    with pytest.raises(EmrestoreError, match="SHA-256"):
        read_crop(recorded, "0" * 64, 0, 0, 0, 8)


def test_streaks_of_the_shipped_micrographs_run_along_x():
    """Jitter and lag make neighbours in a row more alike than neighbours in a column.

    Second differences weigh the noise of pixels, not the specimen. Their variances along y are 1.1 to 2.6 times those
    along x in the regions shown; unswapped the ratios would be the inverse.
    """
    import yaml

    from emrestore import config

    settings = config.unwrap(yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))["micrographs"])
    assert {place["file"] for place in settings["panels"].values()} == set(settings["files"])
    for place in settings["panels"].values():
        path, digest = package_file(f"test_data/{place['file']}"), settings["files"][place["file"]]
        crop = read_crop(path, digest, place["image"], place["x"], place["y"], settings["edge"])
        along_x, along_y = (np.diff(crop, n=2, axis=axis).var() for axis in (1, 0))
        assert along_y > along_x


def test_white_noise_of_any_variance_has_no_correlation_and_the_error_says_so():
    """100 images: correlations over their standard errors have mean 0 +- 1/10 and variance 1 +- sqrt(2/100)."""
    deviation = np.linspace(1, 10, 64) * np.ones((64, 1))
    noise = stream(1, "white").standard_normal((100, 64, 64)) * deviation
    found = pd.DataFrame([neighbour_correlation(one) for one in noise])
    for axis in ("along_x", "along_y"):
        pulls = found[axis] / found[f"{axis}_se"]
        assert abs(pulls.mean()) < 4 / 10
        assert pulls.var() == pytest.approx(1, abs=4 * np.sqrt(2 / 100))


def test_lag_along_rows_is_seen_along_x():
    """Sums of two neighbours have a correlation of 1/2 along x; its error from 64 x 64 pixels is about 1/64."""
    noise = stream(2, "lag").standard_normal((64, 65))
    found = neighbour_correlation(noise[:, 1:] + noise[:, :-1] + 100)
    assert found["along_x"] == pytest.approx(0.5, abs=4 / 64)
    assert found["along_y"] == pytest.approx(0, abs=4 * np.sqrt(2) / 64)


def test_difference_of_mirrored_images():
    image = stream(3, "image").standard_normal((16, 16)).astype(np.float32)
    assert mirror_difference(image, image[::-1]) == 0
    assert mirror_difference(image, image[::-1] + 0.1 * image.std()) == pytest.approx(0.1, rel=1e-4)


@pytest.fixture
def measured(tmp_path):
    """A real micrograph and a simulated one; the network gives the truth of the latter, and shifts the grey of the
    former when it is upside down."""
    draw = stream(4, "pair").standard_normal((3, 16, 16)).astype(np.float32)
    real = xr.Dataset(
        {"counts": (("micrograph", "mirrored", "y", "x"), np.stack([draw[0], draw[0, ::-1]])[None])},
        coords={"micrograph": ["particle"]},
    )
    simulated = xr.Dataset({name: (("number", "y", "x"), draw[[n]]) for n, name in ((1, "truth"), (2, "counts"))})
    made = {
        "real": real,
        "simulated": simulated,
        "restored_real": real * 0.5 + 0.2 * real.mirrored,
        "restored_simulated": simulated[["truth"]].rename(truth="counts"),
    }
    for name, dataset in made.items():
        store.write(dataset, tmp_path / f"{name}.nc", {})
    paths = {name: tmp_path / f"{name}.nc" for name in made}
    return paths["real"], [paths["simulated"]], [paths["restored_real"], paths["restored_simulated"]]


NAMES = {"modalities": ["hrstem", "lrstem"], "networks": [["published", "hrstem"], ["published", "lrstem"]]}


def test_table_holds_real_images_and_the_true_noise_of_simulated_ones(measured, tmp_path):
    script("measure_micrographs").main(*measured, tmp_path / "table.csv", **NAMES)
    table = pd.read_csv(tmp_path / "table.csv").set_index(["micrograph", "network"])
    assert list(table.index) == [("particle", "published"), ("simulated", "truth"), ("simulated", "published")]
    pd.testing.assert_series_equal(
        table.loc[("simulated", "truth")], table.loc[("simulated", "published")], check_names=False
    )
    real = table.loc[("particle", "published")]
    assert real["residual"] == pytest.approx(0.5, rel=1e-4)
    image = store.read(measured[0]).counts.values[0, 0]
    assert real["mirror"] == pytest.approx(0.2 / (0.5 * image.std()), rel=1e-4)
    assert np.isnan(table.loc[("simulated", "published"), "mirror"])


def test_figure_marks_what_is_simulated(measured, tmp_path):
    png, pdf = tmp_path / "a.png", tmp_path / "a.pdf"
    script("plot_micrographs").main(*measured, png, pdf, **NAMES)
    assert png.stat().st_size > 0
    assert pdf.stat().st_size > 0
    noise = stream(5, "panel").random((8, 8))
    names = [("hrstem", f"place_{number}") for number in range(COLUMNS)] + [("lrsem", "simulated")]
    with style():
        figure = micrographs_figure(
            {"raw": dict.fromkeys(names, noise), "trained": {names[0]: noise}, "truth": {names[-1]: noise}}
        )
    titles = [axis.get_title(loc="left") for axis in figure.axes]
    assert titles[0] == "(a) HR-STEM, real:\nplace 0"
    assert titles[2 * COLUMNS] == "(g) LR-SEM, simulated"
    shown = [bool(axis.images) for axis in figure.axes]
    # a full block of raw images of which the first is restored, then a block of one that was not, with its truth
    blank = [False] * (COLUMNS - 1)
    assert shown == [True] * COLUMNS + [True, *blank] + [True, *blank] + [True, *blank]
    assert figure.axes[3 * COLUMNS].get_ylabel() == "undistorted"
    plt.close(figure)


def test_numbers_are_ends_over_real_micrographs_alone():
    found = micrograph_numbers(study_tables.micrographs())
    expected = {"along_x_least": 0.1, "along_x_largest": 0.3, "along_y_least": -0.1, "along_y_largest": 0.2}
    expected |= {"mirror_least": 0.05, "mirror_largest": 0.15, "larger_along_x": 1, "follows": 1}
    assert {key: found[f"micrographs.published.{key}"]["value"] for key in expected} == expected
    assert found["micrographs.real"]["value"] == 2
    assert "micrographs.truth.along_x_least" not in found
