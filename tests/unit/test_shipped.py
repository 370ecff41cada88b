"""The weights in models/: whole, small, on record, as good as when they were kept, and without seams."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from emrestore import authors, fit_columns
from emrestore.config import unwrap
from emrestore.image import clean, shard
from emrestore.metrics import scores_by_image
from emrestore.network import weights
from emrestore.restore import open_method, restore
from emrestore.restore.network import OVERLAP
from emrestore.train import comparison, data, experiment
from emrestore.train.report import lineage
from emrestore.workflow import sha256

MODELS = Path(__file__).parents[2] / "models"
CONFIG = unwrap(yaml.safe_load((MODELS.parent / "config/config.yaml").read_text(encoding="utf-8")))
#: Mean PSNR [dB] over the authors' pairs 0 to 3, as measured when they were kept; none for HR-TEM, which has no pairs.
MEASURED = {
    "hrstem_second": 29.153,
    "hrstem_fourth": 29.252,
    "hrstem": 29.325,
    "lrstem": 27.743,
    "lrtem": 34.776,
    "hrsem": 29.810,
    "lrsem": 33.025,
    "hrtem": None,
}
#: Largest file that may ship [bytes].
LIMIT = 10_000_000


def test_all_weights_have_been_measured():
    assert {path.stem for path in MODELS.glob("*.safetensors")} == MEASURED.keys()


@pytest.mark.parametrize("name", MEASURED)
def test_weights_are_those_of_their_record(name):
    path = MODELS / f"{name}.safetensors"
    record = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert path.stat().st_size < LIMIT
    # by their digests, as a first stage may have had another name
    assert {sha256(path), sha256(path.with_suffix(".csv"))} <= set(record["outputs"].values())
    _, metadata = weights.load(path)
    history = pd.read_csv(path.with_suffix(".csv"))
    assert metadata["crops"] == history["crops"].iloc[-1] == record["params"]["crops"]
    assert metadata["psnr"] == pytest.approx(history["psnr"].iloc[-1], rel=1e-5)
    assert history["skipped"].iloc[-1] == 0


def test_the_configuration_has_what_the_records_say():
    models = CONFIG["models"]
    usual = CONFIG["training"]["schedule"] | {name: models[name] for name in ("learning_rate", "shards")}
    usual |= {"dose": models["exposure"]["dose"], "log_floor": CONFIG["training"]["terms"]["log_floor"]}
    records = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in MODELS.glob("*.json")}
    records = {name: record for name, record in records.items() if "_card" not in name}
    assert records.keys() == models["networks"].keys()
    for name, record in records.items():
        asked, params = models["networks"][name], record["params"]
        known = params | params["arguments"] | params["schedule"] | params["terms"] | params["distortions"]["exposure"]
        for key in ("modality", "chain", "crops", "conditional", "lattice"):
            assert known[key] == asked[key], (name, key)
        assert known.get("told", 0) == asked["told"], name
        for key in ("learning_rate", "share", "crop", "batch", "dose", "log_floor"):
            assert known.get(key, 1.0) == (asked[key] or usual[key]), (name, key)
        assert sum("/train/" in path for path in record["inputs"]) == (asked["shards"] or usual["shards"]), name
        assert lineage(name, records)[-2:-1] == [asked["start"]] * bool(asked["start"]), name


@pytest.mark.parametrize(("name", "psnr"), [(name, psnr) for name, psnr in MEASURED.items() if psnr])
def test_restoration_is_as_good_as_it_was(name, psnr):
    modality = weights.read_metadata(MODELS / f"{name}.safetensors")["model"]
    truth, distorted = (images[:4].astype(float) for images in authors.pairs(modality))
    restored = restore(distorted, modality, MODELS / f"{name}.safetensors", precision="fp32")
    # float32 sums in another order change less than a thousandth of a decibel
    assert scores_by_image(restored, truth)["psnr"].mean() == pytest.approx(psnr, abs=0.005)


@pytest.mark.parametrize("name", MEASURED)
def test_tiles_meet_without_seams(name):
    modality = weights.read_metadata(MODELS / f"{name}.safetensors")["model"]
    _, distorted = authors.pairs("lrtem" if modality == "hrtem" else modality)
    # a mosaic larger than a tile, whose parts are as bright as each other
    parts = (distorted - distorted.mean((1, 2), keepdims=True)) / distorted.std((1, 2), keepdims=True)
    image = np.block([[*parts[:3]], [*parts[1:4]]])
    whole, tiled = (
        restore(image, method=open_method(modality, MODELS / f"{name}.safetensors", precision="fp32", tile=tile))
        for tile in (None, 4 * OVERLAP)
    )
    error = np.abs(tiled - whole) / whole.std()
    assert error.max() < 0.01
    assert np.sqrt((error**2).mean()) < 0.001


@pytest.mark.parametrize(
    ("peak", "moved"),
    [
        (1e3, {"hrstem_fourth": -0.167, "hrstem": -0.021, "lrstem": -0.012, "lrsem": -0.019, "hrsem": -0.145}),
        (1e9, {"hrstem_fourth": -0.852, "hrstem": -0.173, "lrstem": -0.079, "lrsem": -0.108, "hrsem": -0.603}),
    ],
)
def test_columns_are_moved_no_farther_where_there_is_little_noise(peak, moved):
    """Networks may take the lack of noise for a lag; means as measured [px], of the published one 0.03 and 0."""
    true = 10.0 * np.mgrid[1:13, 1:13].reshape(2, -1).T + np.random.default_rng(0).normal(0, 0.5, (144, 2))
    y, x = np.mgrid[:130, :130]
    columns = np.exp(-((x - true[:, :1, None]) ** 2 + (y - true[:, 1:, None]) ** 2) / (2 * 2.4**2)).sum(0)
    image = np.random.default_rng(1).poisson(peak * (columns + 0.15)).astype(float)
    for name, measured in moved.items():
        modality = weights.read_metadata(MODELS / f"{name}.safetensors")["model"]
        found = fit_columns(restore(image, modality, MODELS / f"{name}.safetensors", precision="fp32"), true)
        errors = found[["x", "y"]].to_numpy() - true
        along_x, along_y = errors[~found["border"]].mean(0)
        assert along_x == pytest.approx(measured, abs=0.003), name
        assert abs(along_y) < 0.015, name


@pytest.mark.parametrize(("name", "annotated", "cropped"), [("hrstem_second", 2.3, 0.8), ("hrstem", 1.4, 0.5)])
def test_annotations_and_cropped_borders_come_through(name, annotated, cropped):
    """Changes as measured on these images, which are the same anywhere [% of the maximum]; published 1.3 and 0.15."""
    ranges = clean.build(CONFIG["generator"])
    images, drawn = zip(*(clean.sample(ranges, "hrstem", 7, "annotated", number) for number in range(12)), strict=True)
    levels = torch.from_numpy(np.rint(shard.LEVELS * np.stack(images)).astype(np.uint16))
    pool = data.Pool(levels, torch.tensor([one["pixel_size"] for one in drawn]), torch.zeros(len(images)))
    always = {key: {"probability": 1} for key in ("annotations", "cropping_turned")}
    chain = comparison.changed(CONFIG["distortions"], "stem_wide", always)
    known = experiment.draw(pool, chain, len(images), 7, "annotated")
    regions = comparison.overlays(chain, known.drawn, known.truth.shape[1:])
    restored = restore(known.distorted, "hrstem", MODELS / f"{name}.safetensors", precision="fp32")
    changes = comparison.changes_of(restored, known.truth, regions)
    # half a unit of the last digit, and what sums in another order may add to that
    assert 100 * changes["annotated"] == pytest.approx(annotated, abs=0.06)
    assert 100 * changes["cropped"] == pytest.approx(cropped, abs=0.06)
