import json
from typing import Any

import numpy as np
import pytest

from latent.origin import LONGEST, ImageOrigin, SheetOrigin, parse_origin
from tests.conftest import small_card

SPACE = small_card().space
DRAWN = {"seed": 1, "index": 0, "class": {"7": 1.0}, "styles": {"slant": 0.5, "width": -0.5}}
SHEET = {"model": "small", "digest": "5a" * 32, "seed": 1, "index": 0, "n": 3}


def sheet(**more: Any) -> SheetOrigin:
    origin = parse_origin(json.dumps(SHEET | more))
    assert isinstance(origin, SheetOrigin)
    return origin


def test_a_sheet_of_own_codes_has_a_row_for_each_image_that_is_not_black() -> None:
    origin = sheet(images=[DRAWN, None, DRAWN | {"seed": 2}])
    codes = origin.codes(SPACE)
    assert (origin.places, len(codes)) == ([0, 2], 2)
    assert codes.classes.argmax(1).tolist() == [7, 7]
    assert not np.array_equal(codes.noise[0], codes.noise[1])


def test_two_ends_stand_for_all_that_lie_between() -> None:
    origin = sheet(n=5, images=[DRAWN, DRAWN | {"class": {"3": 1.0}}])
    codes = origin.codes(SPACE)
    assert (origin.places, len(codes)) == ([0, 1, 2, 3, 4], 5)
    assert codes.classes[2, [3, 7]].tolist() == [0.5, 0.5]


def test_two_images_are_two_images() -> None:
    origin = sheet(n=2, images=[DRAWN, None])
    assert (origin.places, origin.ends) == ([0], None)


@pytest.mark.parametrize(
    "more",
    [{"images": []}, {"n": 1, "images": [DRAWN, DRAWN]}, {"n": 9, "images": [DRAWN] * 3}, {"columns": 0}],
    ids=str,
)
def test_a_sheet_that_has_too_few_or_too_many_images_is_none_of_ours(more: dict[str, Any]) -> None:
    assert parse_origin(json.dumps(SHEET | more)) is None


@pytest.mark.parametrize(
    "more",
    [
        {"images": [DRAWN, DRAWN, DRAWN | {"class": {"eleven": 1.0}}]},
        {"images": [None, None, None]},
        {"n": 5, "images": [DRAWN, DRAWN | {"styles": {"slant": 7.0, "width": 0.0}}]},
        {"class": "eleven"},
        {"class": {"1": 0.2}},
        {"style": {"colour": 0.5}},
        {"style": {"slant": 9.0}},
        {"noise": [0.5]},
    ],
    ids=str,
)
def test_codes_that_the_space_does_not_have_are_told(more: dict[str, Any]) -> None:
    assert sheet().is_of(SPACE)
    assert not sheet(**more).is_of(SPACE)


def test_what_is_too_long_is_not_read() -> None:
    text = json.dumps(DRAWN | {"model": "small", "digest": "5a" * 32})
    assert isinstance(parse_origin(text.ljust(LONGEST)), ImageOrigin)
    assert parse_origin(text.ljust(LONGEST + 1)) is None
