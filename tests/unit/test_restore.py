import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import emrestore
from emrestore import authors
from emrestore.errors import EmrestoreError
from emrestore.network import published, weights
from emrestore.network.cgrdn import CGRDN
from emrestore.network.unet import Compact
from emrestore.restore import network as restore_network
from emrestore.restore import open_method, restore
from emrestore.rng import stream

REFERENCE = Path(__file__).parents[1] / "data/published_reference.npz"


@pytest.fixture(scope="module")
def hrstem():
    """An image, what TensorFlow gives for it, and what the published network gives in float32."""
    with np.load(REFERENCE) as reference:
        image, expected = reference["hrstem_in"], reference["hrstem_out"]
    return image, expected, restore(image, precision="fp32")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Weights of a small network: receptive radius 2 * 2 + 5 = 9 pixels."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    weights.save(CGRDN(features=8, growth=4, layers=2, blocks=1, groups=1), path, {"model": "hrstem"})
    return dict(weights=path, precision="fp32")


def noise(*shape):
    return stream(0, "test_restore", *shape).poisson(20, shape).astype(np.float32)


def test_import_is_light_and_the_name_is_a_function():
    check = (
        "import sys, emrestore; assert 'torch' not in sys.modules, 'import emrestore imports torch'; "
        "import emrestore.restore.network, emrestore.cli; assert callable(emrestore.restore)"
    )
    subprocess.run([sys.executable, "-c", check], check=True)


def test_agrees_with_tensorflow(hrstem):
    _, expected, restored = hrstem
    assert restored.dtype == np.float32
    assert np.abs(restored - expected).max() < 1e-5 * expected.max()  # see test_published


def test_unit_and_offset_do_not_matter(hrstem):
    image, _, restored = hrstem
    for scale, offset in ((1e-6, 0.0), (1e-3, 5.0), (1e30, -1e31)):
        again = restore(image.astype(np.float64) * scale + offset, precision="fp32")
        # both sides are rounded to float32, each by up to half a unit in the last place: together at most
        # 2^-23 of the offset; and 1e-5 for the network's own rounding
        tolerance = 1e-5 * scale * restored.max() + 2**-23 * abs(offset)
        assert np.abs(again - (restored * scale + offset)).max() < tolerance, (scale, offset)
    # the floor of 0.1 in the network's own standardisation would have acted here, and does act without us
    with torch.inference_mode():
        floored = published.load("hrstem")(torch.from_numpy(1e-3 * image)[None, None])[0, 0].numpy()
    assert np.abs(floored - 1e-3 * restored).max() > 1e-5 * restored.max()


def test_bfloat16_is_close_and_is_used(hrstem):
    image, _, restored = hrstem
    half = restore(image, precision="bf16")
    # measured: 0.3 % of the standard deviation; a unit in bfloat16's last place is 0.8 %
    assert 0 < np.sqrt(np.mean((half - restored) ** 2)) < 0.008 * restored.std()


def test_precision_auto_asks_the_processor(monkeypatch, tiny):
    cases = ({}, "fp32"), ({"avx512_bf16": True}, "bf16"), ({"avx512_bf16": False}, "fp32")
    for capabilities, expected in cases:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda c=capabilities: c)
        method = open_method("hrstem", tiny["weights"], precision="auto", device="cpu")
        assert f"{expected} on cpu" in method.description


@pytest.mark.parametrize("shape", [(8, 8), (9, 8), (31, 33), (2, 16, 17), (1, 3, 9, 10)])
def test_shapes(tiny, shape):
    restored = restore(noise(*shape), **tiny)
    assert restored.shape == shape
    assert np.isfinite(restored).all()


def test_odd_sizes_are_reflected(tiny):
    z = noise(15, 21)
    z = (z - z.mean(dtype=float)) / z.std(dtype=float)
    network, _ = weights.load(tiny["weights"])
    padded = torch.from_numpy(np.pad(z, ((0, 1), (0, 1)), mode="reflect").astype(np.float32))
    with torch.inference_mode():
        expected = network.restore_standardised(padded[None, None])[0, 0, :15, :21].numpy()
    # float32 rounding of values of about 5
    np.testing.assert_allclose(restore(z, **tiny), expected, atol=1e-5)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "u8", "f2", ">f4", ">i2", "f8", "longdouble"])
def test_number_types(tiny, dtype):
    image = noise(16, 16)
    np.testing.assert_allclose(restore(image.astype(dtype), **tiny), restore(image, **tiny), rtol=1e-6)


def test_memory_layout_does_not_matter_and_input_is_kept(tiny):
    image = noise(32, 40)
    kept = image.copy()
    crop = image[4:24:2, 30:10:-1]
    np.testing.assert_allclose(restore(crop, **tiny), restore(crop.copy(), **tiny), rtol=1e-6)
    image.flags.writeable = False
    restore(image, **tiny)
    np.testing.assert_array_equal(image, kept)


def test_constant_image_is_returned(tiny):
    stack = np.stack([np.full((16, 16), 7.3, np.float32), noise(16, 16)])
    restored = restore(stack, **tiny)
    np.testing.assert_array_equal(restored[0], stack[0])
    np.testing.assert_allclose(restored[1], restore(stack[1], **tiny), rtol=1e-5)


def test_fast_axis_transposes(tiny):
    stack = noise(2, 16, 24)
    expected = restore(stack.swapaxes(1, 2), **tiny).swapaxes(1, 2)
    np.testing.assert_array_equal(restore(stack, fast_axis="y", **tiny), expected)
    assert np.abs(expected - restore(stack, **tiny)).max() > 1e-3  # the network is not symmetric


def test_batches_are_bounded_and_change_nothing(monkeypatch, tiny):
    stack = noise(7, 16, 16)
    expected = restore(stack, **tiny)
    monkeypatch.setattr(restore_network, "BATCH_PIXELS", 3 * 16 * 16)
    method = open_method("hrstem", device="cpu", **tiny)
    sizes = []
    method.network.first.register_forward_hook(lambda module, inputs, output: sizes.append(len(output)))
    np.testing.assert_allclose(restore(stack, method=method), expected, rtol=1e-5)
    assert sizes == [3, 3, 1]


@pytest.mark.parametrize("shape", [(150, 131), (64, 200), (2, 90, 90)])
def test_tiles_are_exact_beyond_the_receptive_radius(monkeypatch, tiny, shape):
    image = noise(*shape)
    image[..., :40] += 100  # tiles differ in mean and deviation; the whole image's must be used
    expected = restore(image, **tiny)
    monkeypatch.setattr(restore_network, "MINIMUM_TILE", 32)
    for overlap, exact in ((10, True), (2, False)):
        monkeypatch.setattr(restore_network, "OVERLAP", overlap)
        error = np.abs(restore(image, tile=49, **tiny) - expected).max()  # an odd tile is taken one smaller
        assert (error < 1e-5 * expected.max()) == exact, (overlap, error)


def test_large_images_are_tiled_unasked(monkeypatch, tiny):
    monkeypatch.setattr(restore_network, "WHOLE_PIXELS", 64 * 64)
    monkeypatch.setattr(restore_network, "BATCH_PIXELS", 64 * 64)
    monkeypatch.setattr(restore_network, "DEFAULT_TILE", 64)
    monkeypatch.setattr(restore_network, "OVERLAP", 10)
    method = open_method("hrstem", **tiny)
    seen = []
    method.network.first.register_forward_hook(lambda module, inputs, out: seen.append(out[:, 0].numel()))
    restore(noise(2, 80, 120), method=method)
    assert len(seen) > 2
    assert max(seen) <= 64 * 64


@given(edge=st.integers(8, 6000), tile=st.integers(20, 600), overlap=st.integers(0, 40), levels=st.integers(1, 4))
def test_spans_cover_the_axis_once(edge, tile, overlap, levels):
    multiple = 2**levels
    overlap = overlap // multiple * multiple
    tile = 2 * max(tile, overlap + multiple)
    spans = restore_network.spans(edge, tile, overlap, multiple)
    edge += -edge % multiple
    assert [g for _, give in spans for g in range(give.start, give.stop)] == list(range(edge))
    for see, give in spans:
        assert see.start % multiple == 0
        assert 0 <= see.start <= give.start < give.stop <= see.stop <= edge
        assert see.stop - see.start <= tile
        assert give.start - see.start >= overlap or see.start == 0
        assert see.stop - give.stop >= overlap or see.stop == edge


def test_progress_rises_to_one(tiny):
    steps = []
    restore(noise(2, 16, 16), progress=steps.append, **tiny)
    assert len(steps) > 5
    assert steps == sorted(steps)
    assert steps[-1] == 1


def test_identity():
    image = noise(9, 11)
    np.testing.assert_array_equal(restore(image.astype(int), "identity"), image)


def test_method_is_reused(tiny):
    method = open_method("hrstem", **tiny)
    assert "tiny.safetensors, fp32 on" in method.description
    np.testing.assert_array_equal(restore(noise(16, 16), method=method), restore(noise(16, 16), **tiny))


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros(16), "two axes"),
        (np.float32(3), "two axes"),
        (np.zeros((0, 16)), "empty"),
        (np.zeros((0, 16, 16)), "empty"),
        (np.zeros((16, 16, 3)), "colour"),
        (np.zeros((16, 16, 4), np.uint8), "colour"),
        (np.zeros((7, 16)), "at least 8 x 8"),
        (np.zeros((16, 16), complex), "complex"),
        (np.zeros((16, 16), bool), "bool"),
        (np.full((16, 16), "a"), "intensities"),
        (np.full((16, 16), None), "intensities"),
        (np.full((16, 16), np.nan), "256 pixels are NaN or infinite"),
        (np.full((16, 16), -np.inf), "NaN or infinite"),
        (np.full((16, 16), 1e300), "1e37"),
    ],
)
def test_what_is_no_image_is_refused_in_one_sentence(image, words):
    with pytest.raises(EmrestoreError, match=words) as error:
        emrestore.restore(image)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"model": "stem"}, "there is no network 'stem'"),
        ({"model": "stem", "prior": "honest"}, "there is no network 'stem'"),
        ({"weights": "nowhere.safetensors"}, "nowhere.safetensors cannot be read"),
        ({"precision": "fp16"}, "fp32, bf16 or auto"),
        ({"tile": 100}, "at least"),
        ({"device": "abacus"}, "no device 'abacus'"),
        ({"fast_axis": "z"}, "x or y"),
    ],
)
def test_options_are_refused_in_one_sentence(options, words):
    with pytest.raises(EmrestoreError, match=words):
        restore(noise(16, 16), **options)


def test_weights_of_another_modality_are_refused(tiny):
    with pytest.raises(EmrestoreError, match="holds weights for hrstem, not for lrsem"):
        restore(noise(16, 16), "lrsem", **tiny)


def test_without_the_published_weights_ours_are_named(monkeypatch):
    monkeypatch.setattr(authors, "package_folder", lambda: None)
    with pytest.raises(EmrestoreError, match=r"pip install tk_r_em==1\.0\.4.* choose the weights 'trained'"):
        open_method("hrstem", weights="published")
    open_method("hrstem", weights="trained")


def test_auto_keeps_float32_for_sparse_images():
    method = open_method("hrstem", "published", precision="auto")
    if method.for_sparse is None:
        pytest.skip("this processor does not compute in bfloat16")
    counts = stream(1, "test_restore", "sparse").poisson([[[0.02]], [[0.5]]], (2, 32, 32)).astype(np.float32)
    found = restore(counts, method=method)
    exact = [restore(image, "hrstem", "published", precision="fp32") for image in counts]
    assert np.array_equal(found[0], exact[0])
    assert not np.array_equal(found[1], exact[1])
    assert np.array_equal(found[1:], restore(counts[1:], "hrstem", "published", precision="bf16"))


def test_a_network_is_told_how_strongly_to_believe(tmp_path, tiny, monkeypatch):
    torch.manual_seed(1)
    network = Compact(widths=[4, 8, 8], blocks=1, conditional=True)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    weights.save(network, tmp_path / "told.safetensors", {"model": "hrstem"})
    told = {"weights": tmp_path / "told.safetensors", "precision": "fp32"}
    image = noise(2, 20, 24)
    strong, honest = (restore(image, prior=prior, **told) for prior in ("strong", "honest"))
    np.testing.assert_array_equal(strong, restore(image, **told))
    np.testing.assert_array_equal(honest, restore(image, prior=1.0, **told))
    assert np.abs(strong - honest).max() > 1e-3
    # whatever it is told, gain and offset pass through; rounding of float32 about the offset
    np.testing.assert_allclose(
        restore(7 * image + 100, prior=0.5, **told), 7 * restore(image, prior=0.5, **told) + 100, atol=1e-3
    )
    for prior, words in (("strongest", "a prior is strong"), (1.5, "from 0 to 1")):
        with pytest.raises(EmrestoreError, match=words):
            open_method(prior=prior, **told)
    with pytest.raises(EmrestoreError, match="cannot be told"):
        open_method("hrstem", prior="honest", **tiny)
    # only networks of ours can be told, so asking for a prior asks for one
    (tmp_path / "told.safetensors").rename(tmp_path / "hrstem.safetensors")
    monkeypatch.setattr(weights, "FOLDERS", (tmp_path / "nowhere", tmp_path))
    assert "hrstem.safetensors, prior honest" in open_method("hrstem", prior="honest").description
    assert "published" in open_method("hrstem").description
    with pytest.raises(EmrestoreError, match="no weights of ours are here for lrtem"):
        open_method("lrtem", "trained")


@pytest.mark.parametrize("lattice", [[], [32]])
def test_tiles_of_a_deep_network_meet(tmp_path, monkeypatch, lattice):
    torch.manual_seed(1)
    # windows in which something repeats begin at every 16 px of the image, the second tile at 28
    network = Compact(widths=[4, 8, 8], blocks=1, lattice=lattice)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    weights.save(network, tmp_path / "deep.safetensors", {"model": "hrstem"})
    monkeypatch.setattr(restore_network, "MINIMUM_TILE", 8)
    image = noise(1, 150, 131)
    # beyond what any pixel sees: two pixels a level for each of two convolutions in up to four blocks
    monkeypatch.setattr(restore_network, "OVERLAP", 48)
    method = open_method("hrstem", tmp_path / "deep.safetensors", precision="fp32", tile=128)
    whole = open_method("hrstem", tmp_path / "deep.safetensors", precision="fp32")
    np.testing.assert_allclose(restore(image, method=method), restore(image, method=whole), atol=1e-5)
