import numpy as np
import pytest

from latent.depth import DEPTHS, depth_of, to_bytes

GREYS = np.arange(256)


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_bits_that_are_filled_are_found_and_their_white_is_white(depth: int) -> None:
    levels = np.array([[0, 1, (1 << depth) - 1]], np.uint16)
    assert depth_of(levels) == depth
    assert to_bytes(levels, depth)[0, [0, 2]].tolist() == [0, 255]


@pytest.mark.parametrize("depth", DEPTHS)
def test_eight_bits_come_back_whatever_holds_them(depth: int) -> None:
    spread = np.rint(GREYS * ((1 << depth) - 1) / 255).astype(np.uint16)
    assert np.array_equal(to_bytes(spread, depth), GREYS)
    shifted = (GREYS << (depth - 8)).astype(np.uint16)
    assert np.abs(to_bytes(shifted, depth) - GREYS.astype(int)).max() <= 1


def test_bits_between_two_depths_count_as_the_deeper() -> None:
    assert [depth_of(np.array([level])) for level in (0, 255, 256, 1023, 1024, 4096, 16384)] == [
        8,
        8,
        10,
        10,
        12,
        14,
        16,
    ]


def test_an_image_of_no_pixels_has_the_least_depth() -> None:
    assert depth_of(np.zeros((0, 3), np.uint16)) == 8


@pytest.mark.parametrize("level", [-1, 65536])
def test_levels_beyond_sixteen_bits_are_refused(level: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 65535"):
        depth_of(np.array([[0, level]]))
