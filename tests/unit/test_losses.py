import numpy as np
import pytest
import torch

from emrestore.train.losses import WINDOWS, whiten


@pytest.mark.parametrize("window", [*WINDOWS, 3])
def test_whitening_is_that_of_each_pixels_window(window):
    image = torch.from_numpy(np.random.default_rng(0).random((40, 44)))[None, None]
    found = whiten(image, window, 1e-3)[0, 0].numpy()
    array = image[0, 0].numpy()
    for y, x in ((20, 21), (17, 30), (25, 9)):
        low = (window - 1) // 2
        part = array[y - low : y - low + window, x - low : x - low + window]
        # float64 sums of at most 256 numbers
        assert found[y, x] == pytest.approx((array[y, x] - part.mean()) / part.std(), abs=1e-9)


def test_whitening_is_blind_to_gain_and_offset():
    image = torch.from_numpy(np.random.default_rng(0).random((2, 1, 32, 32)))
    assert torch.allclose(whiten(3 * image + 100, 8, 1e-9), whiten(image, 8, 1e-9), atol=1e-8)


def test_flat_ground_is_divided_by_the_floor():
    image = torch.full((1, 1, 32, 32), 5.0)
    image[..., 16, 16] += 1e-3
    found = whiten(image, 4, 0.1)
    assert torch.isfinite(found).all()
    # deviation of one pixel among sixteen: below the floor, so (1 - 1/16) 1e-3 / 0.1, in the digits of 5 in float32
    assert float(found[..., 16, 16]) == pytest.approx(15 / 16 * 1e-2, abs=1e-5)
