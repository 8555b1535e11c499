import numpy as np
import pytest
from pydantic import ValidationError

from latent import ClassCode, Codes, LatentSpace, StyleCode


def codes(rows: int, size: int = 3, classes: int = 2, styles: int = 1) -> Codes:
    columns = size + classes + styles
    values = np.arange(rows * columns, dtype=np.float32).reshape(rows, columns)
    return Codes(values[:, :size], values[:, size : size + classes], values[:, size + classes :])


def test_a_class_becomes_a_one_hot_row() -> None:
    space = LatentSpace(noise_size=1, classes=(ClassCode(name="cat"), ClassCode(name="dog")))
    weights = space.one_hot(np.array([1, 0, 1]))
    assert weights.dtype == np.float32
    assert weights.tolist() == [[0, 1], [1, 0], [0, 1]]


def test_codes_that_are_cut_and_joined_are_the_same_codes() -> None:
    whole = codes(7)
    joined = Codes.concatenate([whole[:2], whole[2:3], whole[3:]])
    assert len(joined) == 7
    for name, array in whole.inputs().items():
        np.testing.assert_array_equal(joined.inputs()[name], array)


def test_one_part_is_joined_without_a_copy() -> None:
    whole = codes(2)
    assert Codes.concatenate([whole]) is whole


def test_the_generator_has_no_input_for_codes_that_it_lacks() -> None:
    assert list(codes(1).inputs()) == ["noise", "classes", "styles"]
    assert list(codes(1, classes=0).inputs()) == ["noise", "styles"]
    assert list(codes(1, classes=0, styles=0).inputs()) == ["noise"]


@pytest.mark.parametrize(("low", "high"), [(1.0, 1.0), (1.0, -1.0)])
def test_a_style_with_an_empty_range_is_refused(low: float, high: float) -> None:
    with pytest.raises(ValidationError, match="low must be less than high"):
        StyleCode(name="slant", low=low, high=high)


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two class codes share a name"):
        LatentSpace(noise_size=1, classes=(ClassCode(name="7"), ClassCode(name="7")))


def test_two_styles_of_one_name_are_refused() -> None:
    with pytest.raises(ValidationError, match="two style codes share a name"):
        LatentSpace(noise_size=1, styles=(StyleCode(name="slant"), StyleCode(name="slant")))


def test_a_space_cannot_be_changed() -> None:
    space = LatentSpace(noise_size=1)
    with pytest.raises(ValidationError, match="frozen"):
        space.noise_size = 2


def test_a_space_without_classes_has_rows_of_no_weights() -> None:
    assert LatentSpace(noise_size=1).one_hot(np.array([0, 0])).shape == (2, 0)
