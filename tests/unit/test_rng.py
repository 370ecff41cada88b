import numpy as np
import pytest

from emrestore.rng import address, integer_seed, stream


def test_same_address_same_stream():
    first = stream(1, "pairs", "bulk", 0.1, 500.0, 3).random(5)
    stream(1, "something", "else").random(1000)
    assert np.array_equal(first, stream(1, "pairs", "bulk", 1e-1, 500, 3).random(5))


@pytest.mark.parametrize("other", [(2, "a", 1), (1, "a", 2), (1, "a", "1", 0), (1, "b", 1)])
def test_other_address_other_stream(other):
    assert not np.array_equal(stream(1, "a", 1).random(4), stream(*other).random(4))


def test_streams_are_uncorrelated():
    # 1000 neighbouring addresses, 64 draws each: correlation of neighbours has std 1 / sqrt(64000)
    draws = np.stack([stream(1, "n", k).standard_normal(64) for k in range(1000)])
    assert abs((draws[1:] * draws[:-1]).mean()) < 4 / np.sqrt(999 * 64)


def test_address_writes_numbers_one_way():
    assert address("pairs", 0.1, 5e2, np.float64(500), 3) == "pairs/0.1/500/500/3"


@pytest.mark.parametrize("part", ["", "a/b"])
def test_ambiguous_addresses_are_refused(part):
    with pytest.raises(ValueError, match="address part"):
        address(part)


@pytest.mark.parametrize("part", [None, True, (1, 2)])
def test_other_types_are_refused(part):
    with pytest.raises(TypeError):
        address(part)


def test_integer_seed_fits_31_bits():
    assert 0 <= integer_seed(1, "phonons", 0) < 2**31
    assert integer_seed(1, "phonons", 0) != integer_seed(1, "phonons", 1)
