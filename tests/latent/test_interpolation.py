import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from latent import Codes, LatentSpace, StyleCode, between, draw_classes, draw_codes, draw_noise, draw_styles
from latent.interpolation import slerp
from latent.space import NoiseDistribution
from tests.conftest import small_card
from tests.latent.specification import functions, rows_under

SPACE = small_card().space
NORMAL = SPACE.model_copy(update={"noise_distribution": NoiseDistribution.NORMAL})
SHARES = np.linspace(0, 1, 9)
SPECIFIED = functions()

vectors = arrays(np.float32, 5, elements=st.floats(-1, 1, width=32))


def drawn(space: LatentSpace, seed: int) -> Codes:
    classes = space.one_hot(draw_classes(space, seed, 0, 1))
    return Codes(draw_noise(space, seed, 0, 1), classes, draw_styles(space, seed, 0, 1))


@given(vectors, vectors)
def test_the_ways_ends_are_the_vectors(start: np.ndarray, end: np.ndarray) -> None:
    way = slerp(start, end, SHARES)
    assert way.shape == (9, 5)
    np.testing.assert_allclose(way[0], start, atol=1e-6)
    np.testing.assert_allclose(way[-1], end, atol=1e-6)


@given(vectors, vectors)
def test_no_vector_of_a_way_is_longer_than_the_longer_of_its_ends(start: np.ndarray, end: np.ndarray) -> None:
    lengths = np.linalg.norm(slerp(start, end, SHARES), axis=1)
    assert np.isfinite(lengths).all()
    assert lengths.max() <= max(np.linalg.norm(start), np.linalg.norm(end)) * (1 + 1e-5) + 1e-9


def test_the_direction_turns_evenly_and_the_length_goes_straight() -> None:
    start, end = np.array([2, 0, 0], np.float32), np.array([0, 4, 0], np.float32)
    way = slerp(start, end, SHARES)
    lengths = np.linalg.norm(way, axis=1)
    np.testing.assert_allclose(lengths, 2 + 2 * SHARES)
    np.testing.assert_allclose(np.arctan2(way[:, 1], way[:, 0]), SHARES * np.pi / 2, atol=1e-12)


@pytest.mark.parametrize("factor", [1, 2, 1 + 1e-7, -1, 0])
def test_between_parallel_or_opposite_vectors_the_way_is_straight(factor: float) -> None:
    start = np.array([0.3, -0.4, 0.5], np.float32)
    end = (start * factor).astype(np.float32)
    straight = (1 - SHARES)[:, None] * start + SHARES[:, None] * end
    np.testing.assert_allclose(slerp(start, end, SHARES), straight, atol=1e-7)


@pytest.mark.parametrize("space", [SPACE, NORMAL], ids=["uniform", "normal"])
@pytest.mark.parametrize("count", [2, 3, 24])
def test_the_first_and_the_last_point_are_the_given_ones_to_the_bit(space: LatentSpace, count: int) -> None:
    for seed in range(50):
        start, end = drawn(space, seed), drawn(space, seed + 1)
        start.styles[0, 0], end.styles[0, 0] = 1, 1e-20  # which 1 + (1e-20 - 1) is not
        way = between(space, start, end, count)
        assert len(way) == count
        for name in ("noise", "classes", "styles"):
            values, first, last = getattr(way, name), getattr(start, name), getattr(end, name)
            assert values.dtype == np.float32
            assert values[0].tobytes() == first[0].tobytes()
            assert values[-1].tobytes() == last[0].tobytes()


def test_uniform_noise_stays_within_its_range_and_normal_noise_at_its_length() -> None:
    corner, other = np.ones(62, np.float32), np.ones(62, np.float32)
    other[31:] = -1  # as long, at a right angle: in the middle half of the numbers would be 1.41
    rest = drawn(SPACE, 1)
    start, end = (Codes(noise[None], rest.classes, rest.styles) for noise in (corner, other))
    assert np.abs(between(SPACE, start, end, 9).noise).max() == 1
    assert np.abs(between(NORMAL, start, end, 9).noise).max() == pytest.approx(2**0.5)
    np.testing.assert_allclose(np.linalg.norm(between(NORMAL, start, end, 9).noise, axis=1), 62**0.5, rtol=1e-6)


def test_classes_and_styles_go_straight() -> None:
    start, end = drawn(SPACE, 1), drawn(SPACE, 2)
    way = between(SPACE, start, end, 5)
    np.testing.assert_allclose(way.classes[2], (start.classes[0] + end.classes[0]) / 2, atol=1e-7)
    np.testing.assert_allclose(way.styles[1], 0.75 * start.styles[0] + 0.25 * end.styles[0], atol=1e-6)
    np.testing.assert_allclose(way.classes.sum(axis=1), 1, atol=1e-6)


@given(vectors, vectors, st.integers(2, 240), st.data())
def test_the_page_computes_the_same_bits(start: np.ndarray, end: np.ndarray, count: int, data: st.DataObject) -> None:
    frame = data.draw(st.integers(0, count - 1))
    found = slerp(start, end, np.arange(count) / (count - 1))[frame]
    expected = SPECIFIED["slerp"](start.tolist(), end.tolist(), frame / (count - 1))
    assert found.tobytes() == np.array(expected).tobytes()


def test_the_order_of_the_numbers_of_a_vector_decides_no_bit() -> None:
    order = np.random.default_rng(0).permutation(62)
    for seed in range(200):
        start, end = (draw_noise(NORMAL, seed + side, 0, 1)[0] for side in (0, 1))
        way = slerp(start, end, SHARES)
        assert slerp(start[order], end[order], SHARES).tobytes() == way[:, order].tobytes()


@pytest.mark.parametrize(
    ("frame", "uniform", "normal", "styles"), rows_under("frame", "uniform noise", "normal noise", "styles")
)
def test_the_documented_frames_are_those_drawn(frame: str, uniform: str, normal: str, styles: str) -> None:
    codes = (StyleCode(name="a"), StyleCode(name="b", low=0.0, high=2.0))
    for distribution, noise in ((NoiseDistribution.UNIFORM, uniform), (NoiseDistribution.NORMAL, normal)):
        space = LatentSpace(noise_size=5, noise_distribution=distribution, styles=codes)
        way = between(space, draw_codes(space, 0, 0, 1), draw_codes(space, 1, 0, 1), 5)
        np.testing.assert_array_equal(way.noise[int(frame)], np.array(noise.split(), np.float32))
        np.testing.assert_array_equal(way.styles[int(frame)], np.array(styles.split(), np.float32))
