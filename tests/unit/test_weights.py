import pytest
import safetensors.torch
import torch

from emrestore.errors import EmrestoreError
from emrestore.network import weights
from emrestore.network.cgrdn import CGRDN, GRDN

TINY = dict(features=8, growth=4, layers=2, blocks=2, groups=2)


@pytest.mark.parametrize("kind", [CGRDN, GRDN])
def test_round_trip(tmp_path, kind):
    network = kind(**TINY)
    weights.save(network, tmp_path / "w.safetensors", {"model": "hrstem", "licence": "CC0"})
    again, metadata = weights.load(tmp_path / "w.safetensors")
    assert type(again) is kind
    assert not again.training
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in network.state_dict().items())
    assert metadata["licence"] == "CC0"
    assert [file.name for file in tmp_path.iterdir()] == ["w.safetensors"]


def test_half_precision_halves_the_file_and_rounds_weights(tmp_path):
    network = CGRDN(**TINY)
    weights.save(network, tmp_path / "whole.safetensors", {})
    whole = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    weights.save(network.half(), tmp_path / "half.safetensors", {})
    again, _ = weights.load(tmp_path / "half.safetensors")
    numbers = 2 * sum(tensor.numel() for tensor in whole.values())
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    # names and shapes of the tensors take as much room in both, but for their offsets' digits
    assert sizes[0] - sizes[1] == pytest.approx(numbers, abs=1000)
    for name, tensor in again.state_dict().items():
        assert tensor.dtype == torch.float32
        # 11 bits; below the least normal number of float16 by its smallest step
        torch.testing.assert_close(tensor, whole[name], rtol=2**-11, atol=2**-25)


def test_spoilt_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    with pytest.raises(EmrestoreError, match="cannot be read"):
        weights.load(path)
    weights.save(CGRDN(**TINY), path, {})
    whole = path.read_bytes()

    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(EmrestoreError, match="has been altered"):
        weights.load(path)
    for part in (b"", whole[:4], whole[: len(whole) // 2], b"x" * 100):
        path.write_bytes(part)
        with pytest.raises(EmrestoreError, match="not a whole safetensors file"):
            weights.load(path)
    path.write_bytes(safetensors.torch.save({"a": torch.zeros(2)}))
    with pytest.raises(EmrestoreError, match="not written by emrestore"):
        weights.load(path)
    path.write_bytes(whole.replace(b'architecture\\": \\"CGRDN', b'architecture\\": \\"XGRDN'))
    with pytest.raises(EmrestoreError, match="does not hold a network"):
        weights.load(path)
