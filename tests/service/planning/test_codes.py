from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent import draw_noise
from latent.decimals import shortest
from latent.noise import SEED_LIMIT
from latent.origin import INDEX_LIMIT
from latent.space import NoiseDistribution
from service.errors import IndexTooLarge, InvalidBlend, InvalidNoise, UnknownClass
from service.planning.codes import class_weights, codes_of
from service.planning.point import AskedCodes
from tests.conftest import CLASSES, NOISE, small_card

SPACE = small_card().space
NORMAL = SPACE.model_copy(update={"noise_distribution": NoiseDistribution.NORMAL})


def asked(**fields: Any) -> AskedCodes:
    return AskedCodes.model_validate(fields)


weights = st.dictionaries(st.sampled_from(CLASSES), st.floats(0, 1e6), min_size=1).filter(lambda b: any(b.values()))


@given(weights)
def test_a_blend_is_normalised_to_sum_1_whatever_its_weights(blend: dict[str, float]) -> None:
    found = class_weights(blend, SPACE)
    assert found.sum(dtype=np.float64) == pytest.approx(1, abs=2e-6)
    assert (found >= 0).all()
    assert all(found[int(name)] == 0 for name in set(CLASSES) - blend.keys())


@given(weights)
def test_a_blend_that_an_image_tells_is_the_very_blend_that_drew_it(blend: dict[str, float]) -> None:
    found = class_weights(blend, SPACE)
    told = {name: shortest(weight) for name, weight in zip(CLASSES, found, strict=True) if weight}
    assert class_weights(told, SPACE).tobytes() == found.tobytes()


def test_the_order_of_the_classes_decides_no_bit_of_a_blend() -> None:
    # The light weights count only if they are added to one another first; together they lift the sum to 1 + 10^-6.
    light, heavy = dict.fromkeys(CLASSES, 1e-16), 1.0000009999999993
    first, last = class_weights(light | {"0": heavy}, SPACE), class_weights(light | {"9": heavy}, SPACE)
    assert first.tobytes() == last[::-1].tobytes()
    assert first[0] == 1


@given(st.sampled_from(CLASSES), st.floats(1e-9, 1e6))
def test_a_blend_of_one_class_is_that_class(name: str, weight: float) -> None:
    assert np.array_equal(class_weights({name: weight}, SPACE), class_weights(name, SPACE))


def test_a_blend_needs_a_weight_above_zero_and_classes_that_there_are() -> None:
    for empty in ({}, {"1": 0.0}, {"1": 0.0, "2": 0.0}):
        with pytest.raises(InvalidBlend, match="above 0"):
            class_weights(empty, SPACE)
    with pytest.raises(UnknownClass, match="Choose one of: 0, 1"):
        class_weights({"1": 1, "eleven": 0}, SPACE)


@given(st.floats(0, 1, exclude_min=True), st.integers(0, SEED_LIMIT - 1))
def test_truncated_uniform_noise_is_within_the_truncation(truncation: float, seed: int) -> None:
    found = codes_of(asked(truncation=truncation), SPACE, seed, 0, 3).noise
    assert (np.abs(found) <= np.float32(truncation)).all()
    assert np.array_equal(found, (draw_noise(SPACE, seed, 0, 3).astype(np.float64) * truncation).astype(np.float32))


def test_a_truncation_of_1_changes_nothing() -> None:
    for space in (SPACE, NORMAL):
        assert np.array_equal(codes_of(asked(truncation=1), space, 5, 0, 3).noise, draw_noise(space, 5, 0, 3))


def test_noise_that_is_given_is_that_of_all_images_and_moves_no_other_code() -> None:
    noise = np.linspace(-1, 1, NOISE).tolist()
    found, drawn = codes_of(asked(noise=noise), SPACE, 5, 2, 3), codes_of(asked(), SPACE, 5, 2, 3)
    assert np.array_equal(found.noise, np.array([noise] * 3, np.float32))
    assert np.array_equal(found.classes, drawn.classes)
    assert np.array_equal(found.styles, drawn.styles)
    shorten_head_start = codes_of(asked(noise=noise, truncation=0.5), SPACE, 5, 2, 3)
    assert np.array_equal(shorten_head_start.noise, found.noise / 2)


def test_noise_has_the_models_size_and_the_range_of_its_distribution() -> None:
    with pytest.raises(InvalidNoise, match="Give 62 numbers"):
        codes_of(asked(noise=[0] * 61), SPACE, 1, 0)
    with pytest.raises(InvalidNoise, match="from -1 to 1") as caught:
        codes_of(asked(noise=[0] * 60 + [1.5, 0]), SPACE, 1, 0)
    assert caught.value.field == "noise.60"
    codes_of(asked(noise=[10.0, -10.0] * 31), NORMAL, 1, 0)
    with pytest.raises(InvalidNoise, match="from -10 to 10"):
        codes_of(asked(noise=[10.1] * 62), NORMAL, 1, 0)


def test_every_image_of_many_has_an_index_that_can_be_asked_for_alone() -> None:
    codes_of(asked(), SPACE, 1, INDEX_LIMIT - 2, 2)
    with pytest.raises(IndexTooLarge):
        codes_of(asked(), SPACE, 1, INDEX_LIMIT - 2, 3)
