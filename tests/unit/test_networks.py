"""Networks for training, beside CGRDN and GRDN: what all of them keep to, and the discriminator."""

import pytest
import torch

from emrestore.network import weights
from emrestore.network.cgrdn import CGRDN, GRDN
from emrestore.network.discriminator import PatchDiscriminator
from emrestore.network.unet import Compact, MRUNet, NAFNet

TINY = {
    CGRDN: dict(features=8, growth=4, layers=2, blocks=2, groups=2),
    GRDN: dict(features=8, growth=4, layers=2, blocks=2, groups=2),
    Compact: dict(widths=[4, 6, 8], blocks=1),
    MRUNet: dict(widths=[4, 6, 8], extra=1),
    NAFNet: dict(widths=[4, 6, 8], blocks=1),
}


def make(kind, seed=0, **arguments):
    """A small network that does something: some start as the identity."""
    torch.manual_seed(seed)
    network = kind(**TINY[kind] | arguments).double()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("kind", TINY)
class TestAll:
    def test_gain_and_offset_pass_through(self, kind):
        network = make(kind)
        x = torch.randn(2, 1, 16, 20, dtype=torch.double)
        # exact up to rounding, 1e-16 times the offset of 1e3
        torch.testing.assert_close(network(1e3 + 7 * x), 1e3 + 7 * network(x), rtol=0, atol=1e-10)
        assert (network(x) - x).abs().max() > 1e-3

    def test_images_do_not_see_each_other(self, kind):
        network = make(kind)
        x = torch.randn(3, 1, 16, 20, dtype=torch.double)
        torch.testing.assert_close(network(x)[1:2], network(x[1:2]), rtol=0, atol=1e-12)

    def test_a_file_holds_the_network(self, kind, tmp_path):
        network = kind(**TINY[kind])
        weights.save(network, tmp_path / "w.safetensors", {"source": "test"})
        found, metadata = weights.load(tmp_path / "w.safetensors")
        assert type(found) is kind
        assert metadata["arguments"] == network.arguments
        x = torch.randn(1, 1, 16, 16)
        assert torch.equal(found(x), network.eval()(x))


@pytest.mark.parametrize("network", [make(Compact), make(MRUNet), make(NAFNet), make(Compact, stride=2)])
@pytest.mark.parametrize("shape", [(17, 22), (4, 4), (1, 3), (64, 5)])
def test_any_size_is_restored(network, shape):
    x = torch.randn(1, 1, *shape, dtype=torch.double)
    found = network(x)
    assert found.shape == x.shape
    assert torch.isfinite(found).all()


def test_compact_starts_as_the_identity():
    x = torch.randn(2, 1, 24, 24)
    network = Compact(**TINY[Compact])
    # but for the offset that its last layer starts with
    difference = (network(x) - x) / x.std(dim=(1, 2, 3), keepdim=True, correction=0)
    torch.testing.assert_close(difference, network.last.bias.view(1, 1, 1, 1).expand_as(x), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("network", "low", "high"), [(Compact, 2.5e6, 3e6), (MRUNet, 51e6, 54e6), (PatchDiscriminator, 2.7e6, 2.8e6)]
)
def test_sizes_are_as_documented(network, low, high):
    assert low <= sum(parameter.numel() for parameter in network().parameters()) <= high


def test_coarse_images_are_those_of_each_resolution():
    network = make(MRUNet)
    z = torch.randn(1, 1, 32, 24, dtype=torch.double)
    assert [tuple(image.shape[-2:]) for image in network.resolutions(z)] == [(8, 6), (16, 12), (32, 24)]
    for convolution in network.images:
        torch.nn.init.zeros_(convolution.weight)
        torch.nn.init.zeros_(convolution.bias)
    coarse = network.resolutions(z)[0]
    torch.testing.assert_close(coarse, torch.nn.functional.avg_pool2d(z, 4))


class TestDiscriminator:
    def test_a_patch_is_70_pixels_wide(self):
        network = PatchDiscriminator(width=2).double()
        # normalisation sees the whole image; without it a logit depends on its patch alone
        network.layers = torch.nn.Sequential(
            *[layer for layer in network.layers if not isinstance(layer, torch.nn.InstanceNorm2d)]
        )
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, 0.1)
        x = torch.rand(1, 1, 160, 160, dtype=torch.double, requires_grad=True)
        (gradient,) = torch.autograd.grad(network(x)[0, 0, 10, 10], x)
        rows = gradient[0, 0].abs().sum(dim=1).nonzero().ravel()
        columns = gradient[0, 0].abs().sum(dim=0).nonzero().ravel()
        assert int(rows.max() - rows.min()) + 1 == 70
        assert int(columns.max() - columns.min()) + 1 == 70

    def test_borders_are_not_told_by_zeros(self):
        torch.manual_seed(0)
        logits = PatchDiscriminator(width=4)(torch.full((1, 1, 96, 96), 0.7))
        # float32 sums of up to 512 terms
        assert float((logits.max() - logits.min()).detach()) < 1e-5

    def test_there_is_a_logit_for_each_eighth_pixel(self):
        assert PatchDiscriminator(width=4)(torch.rand(2, 1, 256, 128)).shape == (2, 1, 32, 16)
        assert PatchDiscriminator(channels=2, width=4)(torch.rand(2, 2, 64, 64)).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("kind", [CGRDN, GRDN, Compact, MRUNet, NAFNet])
def test_bfloat16_is_close(kind):
    torch.manual_seed(0)
    network = kind(**TINY[kind])
    for name, parameter in network.named_parameters():
        torch.nn.init.normal_(parameter, std=0.1 if "bias" not in name else 0.01)
    x = torch.randn(1, 1, 32, 32)
    exact = network(x)
    rounded = network.use_bfloat16()(x)
    assert rounded.dtype == torch.float32
    # bfloat16 has 8 bits: a few roundings of 2^-9 in a row, in what is added to the image
    assert 0 < (rounded - exact).std() < 0.03 * (exact - x).std()
