"""Galleries: every panel shows its effect and nothing else, and says what was drawn for it."""

import copy
import math
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import xarray as xr
import yaml

from emrestore import config as study
from emrestore import store
from emrestore.distort.chain import EFFECTS, build
from emrestore.distort.gallery import panels
from emrestore.errors import EmrestoreError
from emrestore.plot.gallery import describe, gallery_figure
from emrestore.plot.style import save, style

ROOT = Path(__file__).parents[2]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text(encoding="utf-8"))
VALUES = study.unwrap(CONFIG)
GALLERY, DISTORTIONS = VALUES["gallery"], VALUES["distortions"]
DOSE, SIZE = GALLERY["dose"], 64
ENTRIES = {modality: GALLERY["panels"][modality] | GALLERY["panels"]["both"] for modality in ("tem", "stem")}


def atoms() -> np.ndarray:
    """Atoms on a bright ground, in arbitrary units."""
    y, x = np.mgrid[:SIZE, :SIZE] * 2 * np.pi / 16
    return 0.3 + 0.1 * np.cos(x) + 0.1 * np.cos(y) + 0.05 * np.cos(x) * np.cos(y)


def shown(modality, clean=None, entries=None, draw=1):
    clean = atoms() if clean is None else clean
    entries = ENTRIES[modality] if entries is None else entries
    return {p.name: p for p in panels(clean, 0.15, DOSE, entries, DISTORTIONS, modality, VALUES["seed"], draw)}


@pytest.fixture(scope="module")
def tem():
    return shown("tem")


@pytest.fixture(scope="module")
def stem():
    return shown("stem")


@pytest.mark.parametrize("modality", ["tem", "stem"])
def test_a_gallery_shows_every_effect_of_its_chain(modality):
    made = shown(modality)
    single = {kind for name, panel in made.items() if name != "combined" for kind in panel.kinds.values()}
    assert single == set(made["combined"].kinds.values())
    assert list(made) == ["clean", *ENTRIES[modality], "combined"]
    assert all(panel.parameters[link]["occurs"] for panel in made.values() for link in panel.kinds)
    clean = made["clean"].image
    assert clean.mean() == pytest.approx(DOSE, rel=1e-6)
    for name, panel in made.items():
        assert (name == "clean") == np.array_equal(panel.image, clean), name


def test_camera_panels_show_their_effect(tem):
    clean = tem["clean"].image.astype(float)
    difference = {name: panel.image - clean for name, panel in tem.items()}
    entries, pixels = ENTRIES["tem"], clean.size

    for name in ("mtf", "blur"):
        assert difference[name].mean() == pytest.approx(0, abs=1e-3)
        assert tem[name].image.std() < clean.std()
    shot = tem["shot_noise"].image
    assert abs(shot - np.round(shot)).max() < 1e-4
    # the square of a Poisson deviation has the relative variance 2 + 1/mean: five standard deviations of their average
    assert (difference["shot_noise"] ** 2 / clean).mean() == pytest.approx(1, abs=5 * math.sqrt(2.05 / pixels))
    # the standard deviation of n normal numbers has the relative error 1 / sqrt(2 n)
    gain = (difference["fixed_pattern_noise"] / clean).std()
    assert gain == pytest.approx(entries["fixed_pattern_noise"]["sigma"][0], rel=5 / math.sqrt(2 * pixels))
    thermal = difference["thermal_noise"]
    assert thermal.std() == pytest.approx(entries["thermal_noise"]["sigma"][0], rel=5 / math.sqrt(2 * pixels))

    # Poisson of a log-normal mean: the variances of both
    mean, spread = entries["dark_current"]["mean"][0], entries["dark_current"]["spread"][0]
    error = math.sqrt((mean + (spread * mean) ** 2) / pixels)
    assert difference["dark_current"].mean() == pytest.approx(mean, abs=5 * error)
    # hot pixels have at least μ + 5 σ on top: 41 are expected, and 20 from the tail of the log-normal distribution
    mean, spread = entries["hot_pixels"]["mean"][0], entries["hot_pixels"]["spread"][0]
    threshold = mean * (1 + 5 * spread)
    assert 61 - 5 * math.sqrt(61) < (difference["hot_pixels"] > threshold).sum() < 61 + 5 * math.sqrt(61)

    def neighbours(field):
        return np.corrcoef(field[:, 1:].ravel(), field[:, :-1].ravel())[0, 1]

    assert abs(neighbours(thermal)) < 5 / math.sqrt(pixels)
    assert neighbours(difference["flicker_noise"]) > 0.5
    assert np.ptp(difference["reset_noise"], axis=1).max() < 1e-4
    assert difference["reset_noise"][:, 0].std() > 0.5 * entries["reset_noise"]["sigma"][0]


@pytest.mark.parametrize(
    ("modality", "name"),
    [("tem", "black_pixel_clusters"), ("tem", "zinger_clusters"), ("stem", "black_pixels"), ("stem", "zingers")],
)
def test_spots_scale_some_pixels_and_leave_the_others(modality, name):
    made, entry = shown(modality), ENTRIES[modality][name]
    clean, image = made["clean"].image, made[name].image
    spots = image != clean
    longest = entry.get("steps", [0, 0])[1] + 1
    assert entry["count"][0] / 2 < spots.sum() <= entry["count"][1] * longest
    np.testing.assert_allclose(image[spots], entry["factor"][0] * clean[spots], rtol=1e-6)


def test_digitisation_panels_show_their_effect(tem):
    clean = tem["clean"].image
    level = ENTRIES["tem"]["saturation"]["level"][0] * clean.max()
    np.testing.assert_allclose(tem["saturation"].image, np.minimum(clean, level), rtol=1e-6)
    image, steps = tem["quantisation"].image, 2 ** ENTRIES["tem"]["quantisation"]["bits"][0] - 1
    assert len(np.unique(np.round(image, 3))) <= steps + 1
    assert abs(image - clean).max() <= clean.max() / steps / 2 * (1 + 1e-5)


def test_processing_panels_show_their_effect(tem):
    clean, annotated, cropped = (tem[name].image for name in ("clean", "annotations", "cropping"))
    assert 0.01 < (annotated != clean).mean() < 0.6
    assert annotated.min() >= 0
    assert annotated.max() <= clean.max() * (1 + 1e-6)
    inner = slice(SIZE // 4, -SIZE // 4)
    np.testing.assert_array_equal(cropped[inner, inner], clean[inner, inner])
    border = np.concatenate([cropped[0], cropped[-1], cropped[:, 0], cropped[:, -1]])
    assert len(np.unique(border)) == 1
    # cos over the scale along y and the rest: the words give back what was put in
    entry = {"like": "interpolation", "rotation": (20, 20), "scale": (1.1, 1.1), "shear": (-0.05, -0.05)}
    turned = shown("tem", entries={"turned": entry})["turned"]
    text = describe("interpolation", turned.parameters["turned"], DOSE)
    assert text == "20°, x × 1.10, y × 1.10, shear -0.05"


@pytest.mark.parametrize(
    ("name", "along_x"),
    [("jitter_x", True), ("jitter_y", False), ("fast_scan_detector", True), ("fast_scan", True), ("row_lines", True)],
)
def test_scan_panels_act_along_their_axis(name, along_x):
    """What acts along x does not see an image that is constant along x, but for the factor of row lines."""
    stripes = np.repeat(atoms()[:, :1], SIZE, axis=1)
    entry = dict(ENTRIES["stem"][name])
    if name == "row_lines":
        entry["factor"] = (1, 1)
    for image, blind in ((stripes, along_x), (stripes.T, not along_x)):
        made = shown("stem", clean=image, entries={name: entry})
        same = np.allclose(made[name].image, made["clean"].image, rtol=1e-4)
        assert same == blind


def test_jitter_is_that_of_the_paper():
    field = GALLERY["fields"]["stem"]["pixel_size"]
    entries = {name: ENTRIES["stem"][name] for name in ("jitter_x", "jitter_y")}
    made = panels(atoms(), field, DOSE, entries, DISTORTIONS, "stem", 1)
    drawn = {panel.name: panel.parameters for panel in made}
    for axis, other in ("xy", "yx"):
        jitter = drawn[f"jitter_{axis}"][f"jitter_{axis}"]
        assert jitter[f"sigma_{axis}"] == pytest.approx(0.75)
        assert jitter[f"phi_{axis}"] == pytest.approx(0.6)
        assert jitter[f"sigma_{other}"] == 0


def test_photomultiplier_adds_the_variance_of_pulses(stem):
    clean = stem["clean"].image
    width = stem["photomultiplier"].parameters["photomultiplier"]["width"]
    pulses = (stem["photomultiplier"].image - clean) / np.sqrt(clean)
    assert pulses.std() == pytest.approx(width, rel=5 / math.sqrt(2 * clean.size))


@pytest.mark.parametrize("modality", ["tem", "stem"])
def test_panels_are_drawn_again_to_the_bit(modality):
    first = shown(modality)
    np.testing.assert_array_equal(first["combined"].image, shown(modality)["combined"].image)
    assert not np.array_equal(first["combined"].image, shown(modality, draw=2)["combined"].image)
    # a panel does not depend on which others are shown
    alone = shown(modality, entries={"blur": ENTRIES[modality]["blur"]})
    for name in ("blur", "combined"):
        np.testing.assert_array_equal(alone[name].image, first[name].image)


def test_a_panel_follows_from_its_parameters(stem):
    made = stem["combined"].parameters
    drawn = {link: {name: torch.tensor([value]) for name, value in row.items()} for link, row in made.items()}
    clean = torch.as_tensor(atoms(), dtype=torch.float32)[None, None]
    _, image = build(DISTORTIONS, "stem").apply(clean, drawn)
    electrons = made["exposure"]["electrons"]
    # float32: the number of electrons is multiplied in another order
    np.testing.assert_allclose((image * electrons)[0, 0].numpy(), stem["combined"].image, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("panels", "tem", "mtf", "d"), {"value": [1, 1], "source": "choice: a typo"}, "gallery/panels/tem/mtf.*'d'"),
        (("panels", "stem", "focus"), {"like": {"value": "blur", "source": "choice: none such"}}, "'focus'"),
        (("panels", "both", "blur", "like", "value"), "blurr", "gallery/panels/both/blur/like.*'blurr'"),
        (("panels", "both", "blur", "sigma", "value"), [2, 1], "gallery/panels/both/blur/sigma.*downwards"),
        (("fields", "tem", "shape", "value"), 4096, "gallery/fields/tem/shape"),
    ],
)
def test_a_wrong_gallery_is_refused_by_name(path, value, message):
    config = copy.deepcopy(CONFIG)
    node = config["gallery"]
    for part in path[:-1]:
        node = node[part]
    node[path[-1]] = value
    schema = yaml.safe_load((ROOT / "config/schema/config.schema.yaml").read_text(encoding="utf-8"))
    with pytest.raises(EmrestoreError, match=message):
        study.check(config, schema)


def test_an_entry_that_does_not_fit_its_effect_is_refused():
    with pytest.raises(EmrestoreError, match=r"blurred.*width"):
        shown("tem", entries={"blurred": {"like": "blur", "width": (1, 1)}})


@pytest.fixture
def file(stem, tmp_path):
    """What the rule distort_gallery writes."""
    dataset = xr.Dataset(
        {"image": (("panel", "y", "x"), np.stack([panel.image for panel in stem.values()]))},
        coords={"panel": list(stem)},
        attrs={"pixel_size": 0.15, "dose": DOSE},
    )
    made = {name: {"kinds": panel.kinds, "parameters": panel.parameters} for name, panel in stem.items()}
    store.write(dataset, tmp_path / "stem.nc", {"panels": made})
    return tmp_path / "stem.nc"


def test_figures_show_the_panels_and_what_was_drawn(file, stem):
    gallery = store.read(file)
    with style():
        figure = gallery_figure(gallery, ["jitter_x", "fast_scan", "clean"], 2)
    scales = set()
    texts = []
    for axis, name in zip(figure.axes, ("jitter_x", "fast_scan", "clean"), strict=True):
        (image,) = axis.images
        np.testing.assert_array_equal(image.get_array(), stem[name].image)
        scales.add(image.get_clim())
        texts.append(" ".join(text.get_text().replace("\n", " ") for text in axis.texts))
        assert axis.get_title(loc="left").endswith(name.replace("_", " "))
    assert len(scales) == 1
    assert texts[0] == "σ = 0.75 px, φ = 0.6 5 Å"
    times = [ENTRIES["stem"]["fast_scan"][name][0] for name in ("dwell_time", "detector_time", "decay_time", "period")]
    assert texts[1] == "dwell {:g}, HWHM {:g} µs, decay {:g}, period {:g} µs".format(*times)
    assert f"white: {np.percentile(stem['clean'].image, 99.5):.0f} e/px" in texts[2]
    plt.close(figure)


def test_every_effect_has_words(tem, stem):
    described = {}
    for made in (tem, stem):
        for link, kind in made["combined"].kinds.items():
            described[kind] = describe(kind, made["combined"].parameters[link], DOSE)
    # which no figure of the paper shows
    described["rectification"] = describe("rectification", {"folded": True}, DOSE)
    assert set(described) == set(EFFECTS)
    assert all(described.values())


def test_equal_galleries_are_equal_files(file, tmp_path):
    gallery = store.read(file)
    with style(), mpl.rc_context({"savefig.dpi": 100}):
        for name in "ab":
            figure = gallery_figure(gallery, list(gallery.panel.values), 6)
            save(figure, tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for ending in ("png", "pdf"):
        assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()
