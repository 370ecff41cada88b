import hashlib
import importlib.util
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from emrestore.errors import EmrestoreError
from emrestore.network import published, weights

REFERENCE = Path(__file__).parents[1] / "data/published_reference.npz"


@pytest.fixture
def bundle(tmp_path):
    """A copy of the HR-STEM bundle that may be spoilt."""
    for file in published.bundle_folder("hrstem").iterdir():
        shutil.copyfile(file, tmp_path / file.name)
    return tmp_path


def spoil(file: Path, at: int) -> None:
    raw = bytearray(file.read_bytes())
    raw[at] ^= 1
    file.write_bytes(raw)


@pytest.mark.parametrize("model", published.MODALITIES)
def test_agrees_with_tensorflow(model):
    # TensorFlow's float32 output on a 64 x 96 image. Rounding through 153 layers in another order of
    # summation was measured as 0.5 to 1.1e-6 of the maximum; a wrong layer, axis or padding changes percents.
    with np.load(REFERENCE) as reference:
        image, expected = reference[f"{model}_in"], reference[f"{model}_out"]
    with torch.inference_mode():
        restored = published.load(model)(torch.from_numpy(image)[None, None])[0, 0].numpy()
    assert np.abs(restored - expected).max() < 1e-5 * np.abs(expected).max()


def test_convert_keeps_weights_and_says_where_they_are_from(tmp_path):
    published.convert("lrtem", tmp_path / "a.safetensors")
    published.convert("lrtem", tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()
    network, metadata = weights.load(tmp_path / "a.safetensors")
    original = published.load("lrtem").state_dict()
    assert all(torch.equal(tensor, original[name]) for name, tensor in network.state_dict().items())
    assert metadata["model"] == "lrtem"
    assert metadata["licence"] == "GPL-3.0"
    assert metadata["source_sha256"] == published.SHA256["lrtem"]
    assert metadata["arguments"] == {"features": 64, "growth": 32, "layers": 8, "blocks": 4, "groups": 4}


@pytest.mark.parametrize("name", ["variables.index", published.DATA_FILE])
@pytest.mark.parametrize("damage", ["missing", "truncated", "empty", "altered"])
def test_damaged_files_are_refused(bundle, name, damage):
    file = bundle / name
    if damage == "missing":
        file.unlink()
    elif damage == "altered":
        spoil(file, 5000)
    else:
        with file.open("rb+") as open_file:
            open_file.truncate(0 if damage == "empty" else file.stat().st_size // 2)
    with pytest.raises(EmrestoreError, match="reinstall it: pip install") as error:
        published.read_bundle(bundle, published.SHA256["hrstem"])
    assert name in str(error.value)
    assert "\n" not in str(error.value)


def test_tensor_checksums_are_checked_too(bundle):
    # an altered file whose SHA-256 is believed: only the CRC-32C of one tensor tells
    data = bundle / published.DATA_FILE
    spoil(data, 1_000_000)
    with pytest.raises(EmrestoreError, match="checksum of a tensor"):
        published.read_bundle(bundle, hashlib.sha256(data.read_bytes()).hexdigest())


def test_index_of_another_network_is_refused(bundle):
    shutil.copyfile(published.bundle_folder("hrtem") / "variables.index", bundle / "variables.index")
    with pytest.raises(EmrestoreError, match="checksum of a tensor"):
        published.read_bundle(bundle, published.SHA256["hrstem"])


def test_no_altered_byte_of_the_index_passes_unseen():
    index = (published.bundle_folder("hrstem") / "variables.index").read_bytes()
    entries = list(published._entries(index))
    for at in range(0, len(index), 53):
        spoilt = bytearray(index)
        spoilt[at] ^= 0x10
        try:
            assert list(published._entries(bytes(spoilt))) == entries  # bytes that nothing reads: metaindex, padding
        except (ValueError, IndexError, KeyError, struct.error):
            continue


def test_unknown_model_and_missing_package(monkeypatch):
    with pytest.raises(EmrestoreError, match="there is no network 'stem'; there are hrstem"):
        published.load("stem")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EmrestoreError, match=r"pip install tk_r_em==1\.0\.4"):
        published.load("hrstem")
    assert published.state("hrstem") == "pip install tk_r_em==1.0.4"
