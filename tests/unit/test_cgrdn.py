import pytest
import torch

from emrestore.network.cgrdn import CGRDN, GRDN

TINY = dict(features=8, growth=4, layers=2, blocks=2, groups=2)


@pytest.mark.parametrize(("network", "parameters"), [(CGRDN, 7_035_521), (GRDN, 7_019_073)])
def test_published_parameter_counts(network, parameters):
    assert sum(p.numel() for p in network().parameters()) == parameters


@pytest.mark.parametrize("network", [CGRDN, GRDN])
def test_arguments_rebuild_the_network(network):
    made = network(**TINY)
    again = network(**made.arguments)
    assert {k: v.shape for k, v in made.state_dict().items()} == {k: v.shape for k, v in again.state_dict().items()}


def test_standardisation_is_undone():
    torch.manual_seed(0)
    network = CGRDN(**TINY).double()
    x = torch.randn(2, 1, 16, 20, dtype=torch.double)
    # exact up to rounding (1e-16 times the offset of 1e3), and each image by itself
    torch.testing.assert_close(network(1e3 + 7 * x), 1e3 + 7 * network(x), rtol=0, atol=1e-10)
    torch.testing.assert_close(network(x)[1:], network(x[1:]), rtol=0, atol=1e-12)


def test_standardisation_uses_population_std_and_floor():
    network = CGRDN(**TINY)
    seen = []
    network.restore_standardised = lambda z: seen.append(z) or z
    x = torch.tensor([0.0, 2.0]).repeat(32).reshape(1, 1, 8, 8)
    network(x)
    torch.testing.assert_close(seen[0], x - 1)  # mean 1, population deviation exactly 1
    network(0.01 * x)  # deviation 0.01 is below the floor of 0.1
    torch.testing.assert_close(seen[1], 0.1 * (x - 1))


@pytest.mark.parametrize("sizes", [TINY, TINY | {"layers": 1, "blocks": 1, "groups": 1}])
def test_receptive_radius_is_exact(sizes):
    torch.manual_seed(0)
    network = CGRDN(**sizes).double()
    for parameter in network.parameters():
        torch.nn.init.constant_(parameter, 0.1)  # positive: no path is cut by a ReLU or cancelled
    radius = network.receptive_radius
    centre, edge = radius + 3, 2 * radius + 8
    reach = 0
    for y in (centre, centre + 1):  # even and odd pixels see differently far
        x = torch.zeros(1, 1, edge, edge, dtype=torch.double, requires_grad=True)
        (gradient,) = torch.autograd.grad(network.restore_standardised(x)[0, 0, y, centre], x)
        rows = gradient[0, 0].abs().sum(dim=1).nonzero().ravel()
        reach = max(reach, y - int(rows.min()), int(rows.max()) - y)
    assert reach == radius


def test_bfloat16_blocks_only():
    network = CGRDN(**TINY).use_bfloat16()
    half = {name.split(".")[0] for name, p in network.named_parameters() if p.dtype == torch.bfloat16}
    assert half == {"groups", "fuse"}
    assert network(torch.randn(1, 1, 8, 8)).dtype == torch.float32
    assert GRDN(**TINY).use_bfloat16()(torch.randn(1, 1, 8, 8)).dtype == torch.float32


def test_gradients_reach_every_parameter():
    network = CGRDN(**TINY)
    network(torch.randn(2, 1, 16, 16)).square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
