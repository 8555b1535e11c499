import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from latent import ClassCode, LatentSpace, StyleCode, between, draw_classes, draw_codes, draw_noise, draw_styles
from latent.noise import SEED_LIMIT, Stream
from latent.space import NoiseDistribution
from tests.latent.specification import functions, rows_under

SPECIFIED = functions()
MASK = 2**64 - 1
Draw = Callable[[LatentSpace, int, int, int], NDArray[np.number]]

TEN_CLASSES = tuple(ClassCode(name=str(digit)) for digit in range(10))
TWO_STYLES = (StyleCode(name="a"), StyleCode(name="b", low=0.0, high=2.0))

INEXACT = (
    *("log", "log2", "log10", "log1p", "exp", "exp2", "expm1", "power", "pow", "float_power", "cbrt", "hypot", "dist"),
    *("sin", "cos", "tan", "arcsin", "arccos", "arctan", "arctan2", "asin", "acos", "atan", "atan2", "sinh", "cosh"),
    *("dot", "vdot", "vecdot", "inner", "matmul", "tensordot", "einsum", "norm", "sum", "mean", "prod", "sumprod"),
)
"""Functions of NumPy and of the standard library that a machine's library, or its order of operations, decides."""

seeds = st.integers(0, SEED_LIMIT - 1)
indices = st.integers(0, SEED_LIMIT - 100)
distributions = st.sampled_from(NoiseDistribution)


def space(size: int = 5, distribution: NoiseDistribution = NoiseDistribution.UNIFORM) -> LatentSpace:
    return LatentSpace(noise_size=size, noise_distribution=distribution, classes=TEN_CLASSES, styles=TWO_STYLES)


# A second implementation, from docs/noise.md and in whole numbers, to hold the first against.


def philox(counter: list[int], key: list[int]) -> list[int]:
    """One block of Philox4x64-10; words least significant first."""
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * counter[0], 0xCA5A826395121157 * counter[2]
        counter = [
            (right >> 64) ^ counter[1] ^ key[0],
            right & MASK,
            (left >> 64) ^ counter[3] ^ key[1],
            left & MASK,
        ]
        key = [(key[0] + 0x9E3779B97F4A7C15) & MASK, (key[1] + 0xBB67AE8584CAA73B) & MASK]
    return counter


def words_of_image(seed: int, stream: int, index: int, words: int) -> list[int]:
    blocks = math.ceil(words / 4)
    counters = range(index * blocks, index * blocks + blocks)
    drawn: list[int] = []
    for counter in counters:
        drawn += philox([(counter >> shift) & MASK for shift in (0, 64, 128, 192)], [seed, stream])
    return drawn[:words]


def uniform_of_image(seed: int, stream: int, index: int, words: int) -> list[float]:
    return [(word >> 11) / 2**53 for word in words_of_image(seed, stream, index, words)]


def normal_noise_of_image(seed: int, index: int, size: int) -> list[float]:
    half = math.ceil(size / 2)
    uniform = uniform_of_image(seed, Stream.NOISE, index, 2 * half)
    radii = [math.sqrt(-2 * SPECIFIED["ln"](1 - u)) for u in uniform[:half]]
    pairs = [(r, *SPECIFIED["cos_sin"](u)) for r, u in zip(radii, uniform[half:], strict=True)]
    return ([r * cos for r, cos, _ in pairs] + [r * sin for r, _, sin in pairs])[:size]


@pytest.mark.parametrize(
    ("counter", "key", "block"),
    [
        (
            "0000000000000000 0000000000000000 0000000000000000 0000000000000000",
            "0000000000000000 0000000000000000",
            "16554d9eca36314c db20fe9d672d0fdc d7e772cee186176b 7e68b68aec7ba23b",
        ),
        (
            "ffffffffffffffff ffffffffffffffff ffffffffffffffff ffffffffffffffff",
            "ffffffffffffffff ffffffffffffffff",
            "87b092c3013fe90b 438c3c67be8d0224 9cc7d7c69cd777b6 a09caebf594f0ba0",
        ),
        (
            "243f6a8885a308d3 13198a2e03707344 a4093822299f31d0 082efa98ec4e6c89",
            "452821e638d01377 be5466cf34e90c6c",
            "a528f45403e61d95 38c72dbd566e9788 a5a1610e72fd18b5 57bd43b5e52b7fe6",
        ),
    ],
)
def test_the_second_implementation_gives_the_known_answers_of_random123(counter: str, key: str, block: str) -> None:
    def words(text: str) -> list[int]:
        return [int(word, 16) for word in text.split()]

    assert philox(words(counter), words(key)) == words(block)


@given(seed=seeds, index=st.integers(0, SEED_LIMIT - 1), size=st.integers(1, 40))
def test_image_i_owns_the_counters_from_i_times_its_blocks(seed: int, index: int, size: int) -> None:
    uniform = uniform_of_image(seed, Stream.NOISE, index, size)
    expected = [math.floor(u * 2**24) / 2**23 - 1 for u in uniform]
    assert draw_noise(space(size), seed, index, 1)[0].tolist() == expected


@given(seed=seeds, index=st.integers(0, SEED_LIMIT - 1), size=st.integers(1, 40))
def test_normal_noise_is_that_of_box_and_muller(seed: int, index: int, size: int) -> None:
    drawn = draw_noise(space(size, NoiseDistribution.NORMAL), seed, index, 1)[0]
    assert drawn.tobytes() == np.array(normal_noise_of_image(seed, index, size), np.float32).tobytes()


@given(seed=seeds, index=st.integers(0, SEED_LIMIT - 1))
def test_classes_and_styles_have_streams_of_their_own(seed: int, index: int) -> None:
    (first,) = uniform_of_image(seed, Stream.CLASS, index, 1)
    assert draw_classes(space(), seed, index, 1)[0] == math.floor(first * 10)
    a, b = uniform_of_image(seed, Stream.STYLE, index, 2)
    expected = np.array([-1 + 2 * a, b], np.float32)
    np.testing.assert_array_equal(draw_styles(space(), seed, index, 1)[0], expected)


@pytest.mark.parametrize(("seed", "index", "words"), rows_under("seed", "index", "words of the first block"))
def test_the_documented_words_are_those_drawn(seed: str, index: str, words: str) -> None:
    drawn = words_of_image(int(seed), Stream.NOISE, 2 * int(index), 4)
    assert [f"{word:016x}" for word in drawn] == words.split()


@pytest.mark.parametrize(("seed", "index", "noise"), rows_under("seed", "index", "uniform noise"))
def test_the_documented_uniform_noise_is_that_drawn(seed: str, index: str, noise: str) -> None:
    drawn = draw_noise(space(), int(seed), int(index), 1)[0]
    np.testing.assert_array_equal(drawn, np.array(noise.split(), np.float32))


@pytest.mark.parametrize(("seed", "index", "noise"), rows_under("seed", "index", "normal noise"))
def test_the_documented_normal_noise_is_that_drawn(seed: str, index: str, noise: str) -> None:
    drawn = draw_noise(space(distribution=NoiseDistribution.NORMAL), int(seed), int(index), 1)[0]
    np.testing.assert_array_equal(drawn, np.array(noise.split(), np.float32))


@pytest.mark.parametrize(("seed", "index", "class_", "styles"), rows_under("seed", "index", "class", "styles"))
def test_the_documented_class_and_styles_are_those_drawn(seed: str, index: str, class_: str, styles: str) -> None:
    assert draw_classes(space(), int(seed), int(index), 1)[0] == int(class_)
    drawn = draw_styles(space(), int(seed), int(index), 1)[0]
    np.testing.assert_array_equal(drawn, np.array(styles.split(), np.float32))


@given(
    distribution=distributions,
    size=st.integers(1, 20),
    seed=seeds,
    index=indices,
    count=st.integers(1, 20),
    data=st.data(),
)
def test_an_image_is_the_same_alone_and_in_any_range(
    distribution: NoiseDistribution,
    size: int,
    seed: int,
    index: int,
    count: int,
    data: st.DataObject,
) -> None:
    one = data.draw(st.integers(0, count - 1))
    codes = space(size, distribution)
    for draw in (draw_noise, draw_classes, draw_styles):
        together, alone = draw(codes, seed, index, count), draw(codes, seed, index + one, 1)
        np.testing.assert_array_equal(together[one], alone[0])


@given(
    distribution=distributions,
    places=st.lists(st.tuples(seeds, indices), min_size=2, max_size=2, unique=True),
)
def test_different_seeds_and_indices_give_different_noise(
    distribution: NoiseDistribution, places: list[tuple[int, int]]
) -> None:
    codes = space(16, distribution)
    (one, other) = (draw_noise(codes, seed, index, 1) for seed, index in places)
    assert not np.array_equal(one, other)


@given(seed=seeds, index=indices)
def test_different_streams_give_different_numbers(seed: int, index: int) -> None:
    four = tuple(StyleCode(name=str(number)) for number in range(4))
    codes = LatentSpace(noise_size=4, styles=four)
    assert not np.array_equal(draw_noise(codes, seed, index, 1), draw_styles(codes, seed, index, 1))


def test_no_two_of_a_hundred_thousand_images_share_their_noise() -> None:
    noise = draw_noise(space(8), 0, 0, 100_000)
    assert len(np.unique(noise, axis=0)) == len(noise)


def test_the_largest_seeds_are_told_apart() -> None:
    # A seed that passed through a float would be rounded: above 2**53 neighbours become equal.
    last, before = (draw_noise(space(), SEED_LIMIT - back, 0, 1) for back in (1, 2))
    assert not np.array_equal(last, before)


def test_the_largest_indices_are_told_apart() -> None:
    last, before = (draw_noise(space(), 0, SEED_LIMIT - back, 1) for back in (1, 2))
    assert not np.array_equal(last, before)


@pytest.mark.parametrize("draw", [draw_noise, draw_styles])
def test_noise_and_styles_are_float32_with_a_row_an_image(
    draw: Draw,
) -> None:
    drawn = draw(space(), 1, 2, 3)
    assert drawn.dtype == np.float32
    assert len(drawn) == 3


@pytest.mark.parametrize("draw", [draw_noise, draw_classes, draw_styles])
def test_no_images_are_drawn_where_none_are_asked_for(draw: Draw) -> None:
    assert len(draw(space(), 1, 2, 0)) == 0


def test_a_space_without_styles_has_rows_of_none() -> None:
    assert draw_styles(LatentSpace(noise_size=1), 0, 0, 3).shape == (3, 0)


@pytest.mark.parametrize("draw", [draw_noise, draw_classes, draw_styles])
@pytest.mark.parametrize(
    ("seed", "index", "count"),
    [
        (-1, 0, 1),
        (SEED_LIMIT, 0, 1),
        (0, -1, 1),
        (0, SEED_LIMIT, 1),
        (0, SEED_LIMIT - 1, 2),
        (0, 5, -1),
    ],
)
def test_a_seed_or_an_index_beyond_its_limit_is_refused(draw: Draw, seed: int, index: int, count: int) -> None:
    with pytest.raises(ValueError, match="must be in"):
        draw(space(), seed, index, count)


def test_uniform_noise_fills_its_range_and_never_reaches_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    noise = draw_noise(space(100), 3, 0, 10_000)
    assert -1 <= noise.min() < -0.9999
    assert 0.9999 < noise.max() < 1
    assert abs(noise.mean()) < 5 * math.sqrt(1 / 3 / noise.size)

    # One word in 2**26 would round to 1 in float32: the largest word stands for them.
    def all_ones(*asked: int) -> NDArray[np.uint64]:
        return np.full(asked[-1], MASK, np.uint64)

    monkeypatch.setattr("latent.noise.Philox.random_raw", all_ones)
    assert draw_noise(space(1), 0, 0, 1)[0, 0] == 1 - 2.0**-23
    (farthest, _), *_ = draw_noise(space(2, NoiseDistribution.NORMAL), 0, 0, 1)
    assert farthest == np.float32(math.sqrt(106 * math.log(2)))  # 8.57: no radius is longer
    assert draw_classes(space(), 0, 0, 1)[0] == 9


@pytest.mark.parametrize("distribution", NoiseDistribution)
def test_no_draw_needs_a_library_that_differs_between_machines(
    monkeypatch: pytest.MonkeyPatch, distribution: NoiseDistribution
) -> None:
    def differ(*_: object, **__: object) -> None:
        raise AssertionError("this function's last bits, or its order of summation, differ between machines")

    for name in INEXACT:
        for library in (np, np.linalg, math):
            monkeypatch.setattr(library, name, differ, raising=False)
    codes = space(62, distribution)
    start, end = draw_codes(codes, 1, 0, 1), draw_codes(codes, 1, 1, 1)
    assert len(between(codes, start, end, 5)) == 5


def test_normal_noise_has_mean_0_variance_1_and_no_correlation() -> None:
    noise = draw_noise(space(100, NoiseDistribution.NORMAL), 3, 0, 10_000).astype(np.float64)
    # Five standard errors of each estimate; the seed is fixed, so that the test cannot flicker.
    assert abs(noise.mean()) < 5 / math.sqrt(noise.size)
    assert abs(noise.var() - 1) < 5 * math.sqrt(2 / noise.size)
    assert abs((noise**4).mean() - 3) < 5 * math.sqrt(96 / noise.size)
    covariance = noise.T @ noise / len(noise) - np.eye(100)
    np.fill_diagonal(covariance, 0)
    assert np.abs(covariance).max() < 5 / math.sqrt(len(noise))


def test_styles_fill_the_part_of_their_ranges_that_training_drew_from() -> None:
    ranges = ((-1.0, 1.0), (0.0, 2.0), (-0.5, 0.25), (-2.0, 1.5), (1.5, 2.0), (-3.0, -1.25))
    codes = tuple(StyleCode(name=str(k), low=low, high=high) for k, (low, high) in enumerate(ranges))
    styles = draw_styles(LatentSpace(noise_size=1, styles=codes), 3, 0, 100_000)
    lows, highs = [-1, 0, -0.5, -1, 1.5, -1.25], [1, 1, 0.25, 1, 1.5, -1.25]
    np.testing.assert_allclose(styles.min(axis=0), lows, atol=1e-3)
    np.testing.assert_allclose(styles.max(axis=0), highs, atol=1e-3)
    assert (styles >= lows).all()
    assert (styles <= highs).all()


def test_every_class_is_drawn_equally_often() -> None:
    counts = np.bincount(draw_classes(space(), 3, 0, 100_000), minlength=10)
    # Chi-squared with 9 degrees of freedom: above 40 is less likely than one in 100,000.
    assert len(counts) == 10
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 40
