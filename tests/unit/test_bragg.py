"""What repeats in an image: windows that add up, what noise leaves, and lattices that no pixel shows."""

import numpy as np
import pytest
import torch
from scipy.special import exp1

from emrestore.network.bragg import THRESHOLD, _slow, repeating
from emrestore.network.build import adopt, build


def noise(*shape):
    return torch.from_numpy(np.random.default_rng(1).standard_normal(shape)).float()


@pytest.mark.parametrize("shape", [(128, 128), (100, 77), (40, 200), (9, 8)])
def test_windows_add_up_to_the_image(shape):
    z = noise(2, 1, *shape)
    found = repeating(z, 64, threshold=0.0)
    assert found.shape == z.shape
    torch.testing.assert_close(found, z - _slow(z), atol=2e-5, rtol=0)


def test_little_is_left_of_noise():
    # of components with exponential power, those above T = threshold keep, as a share of the variance,
    # the integral of (r - T)^2 / r exp(-r)
    kept = np.exp(-THRESHOLD) * (1 - THRESHOLD) + THRESHOLD**2 * exp1(THRESHOLD)
    found = repeating(noise(4, 1, 512, 512), 128)[:, :, 64:-64, 64:-64]
    # four windows overlap at a pixel, with weights that add up to one: between independent and equal
    assert kept / 4 < found.var() < kept


@pytest.mark.parametrize("window", [64, 128])
def test_a_lattice_is_found_that_no_pixel_shows(window):
    y, x = torch.meshgrid(*2 * [torch.arange(4.0 * window)], indexing="ij")
    waves = [torch.cos(2 * torch.pi * (u * x + v * y)) for u, v in ((0.083, 0.021), (-0.017, 0.095))]
    clean = 0.3 * sum(waves)
    z = clean + noise(1, 1, *y.shape)
    inside = slice(window, -window)
    found, clean, z = repeating(z, window)[..., inside, inside], clean[inside, inside], z[..., inside, inside]
    # a wave's energy in a window over the noise of a component, a² n / 4, lies in the one to nine components of the
    # main lobe, of which each loses the threshold
    energy = 0.3**2 * window**2 / 4
    scale = (found * clean).mean() / (clean**2).mean()
    assert 1 - 9 * THRESHOLD / energy < scale < 1 - THRESHOLD / energy
    # and each lets its noise through, two of them for each wave, which is real
    assert ((found - scale * clean) ** 2).mean() < 9 * 2 * 2 / window**2
    # where columns cannot be told by their pixels
    assert ((z - clean) ** 2).mean() > 10 * (clean**2).mean()


def test_scale_does_not_matter_and_flat_images_hold_nothing():
    z = noise(1, 1, 96, 96)
    torch.testing.assert_close(repeating(1e3 * z, 64), 1e3 * repeating(z, 64), rtol=1e-3, atol=1e-2)
    assert (repeating(torch.full((1, 1, 96, 96), 3.0), 64) == 0).all()


def test_a_network_sees_it_and_takes_over_one_that_does_not():
    arguments = {"widths": [4, 6], "blocks": 1, "conditional": True}
    plain, shown = build("Compact", arguments, 1), build("Compact", arguments | {"lattice": [64, 32]}, 2)
    assert shown.inputs == ["image", "disorder", "lattice 64", "lattice 32"]
    for parameter in plain.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(2))
    z, told = noise(2, 1, 64, 64), torch.tensor([0.2, 0.9])
    adopt(shown, plain)
    torch.testing.assert_close(shown.restore_standardised(z, told), plain.restore_standardised(z, told))
    torch.nn.init.ones_(shown.first.weight)
    changed = shown.restore_standardised(z, told)
    # a network without the disorder takes over the rest
    less = build("Compact", {"widths": [4, 6], "blocks": 1, "lattice": [32]}, 3)
    adopt(less, shown)
    assert less.first.weight.shape[1] == 2
    assert not torch.allclose(changed, plain.restore_standardised(z, told))
