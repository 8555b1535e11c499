"""What a file records draws the same codes again, to the bit, whichever endpoint planned it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent import Codes, ModelVersion
from latent.origin import SheetOrigin, parse_origin
from service.api.images import ImagesRequest
from service.planning import plan as planning
from service.planning.interpolation import Interpolation, plan_interpolation
from service.planning.items import plan_items
from service.planning.plan import Plan, plan_row
from service.planning.traversal import Traversal, plan_traversal
from tests.conftest import small_card

VERSION = ModelVersion(small_card(), "5a" * 32)
SPACE = VERSION.card.space

seeds = st.integers(0, 2**63 - 1)
weights = st.dictionaries(st.sampled_from("0123456789"), st.floats(0.01, 1000), min_size=1)
unit = st.floats(-1, 1)
points = st.fixed_dictionaries(
    {"seed": seeds, "index": st.integers(0, 2**61)},
    optional={
        "class": st.one_of(st.sampled_from("0123456789"), st.integers(0, 9), weights),
        "style": st.one_of(
            st.lists(st.floats(-0.5, 1), max_size=2), st.fixed_dictionaries({"width": st.floats(-0.5, 2)})
        ),
        "truncation": st.floats(0.01, 1),
        "noise": st.lists(unit, min_size=62, max_size=62),
    },
)


def check(plan: Plan) -> None:
    recorded = parse_origin(plan.sheet_text())
    assert isinstance(recorded, SheetOrigin)
    assert recorded.is_of(SPACE)
    assert (recorded.places, recorded.columns) == (plan.places, plan.columns)
    assert_equal(recorded.codes(SPACE), plan.codes)
    for row, text in enumerate(plan.texts):
        assert text.isascii()
        alone = parse_origin(text)
        assert alone is not None
        assert alone.is_of(SPACE)
        assert_equal(alone.codes(SPACE), plan.codes[row : row + 1])


def assert_equal(found: Codes, expected: Codes) -> None:
    for kind, rows in expected.inputs().items():
        assert np.array_equal(found.inputs()[kind], rows), kind


@given(points, st.integers(1, 5))
def test_images_of_a_seed_in_a_row(asked: dict[str, Any], n: int) -> None:
    request = ImagesRequest.model_validate(asked | {"n": n})
    check(plan_row(request, VERSION, asked["seed"], asked["index"], n))


@given(st.lists(st.one_of(points, st.just({"class": "eleven"})), min_size=1, max_size=6), points)
def test_items_of_which_some_fail(items: list[dict[str, Any]], valid: dict[str, Any]) -> None:
    check(plan_items([*items, valid], VERSION, 1, 0, 0.5))


@given(seeds, st.sampled_from([None, {"class": "all"}, {"style": 1, "steps": 3}]), st.floats(0.01, 1))
def test_traversals(seed: int, rows: dict[str, Any] | None, truncation: float) -> None:
    asked = {"rows": rows, "columns": {"style": 0, "steps": 4}, "truncation": truncation}
    check(plan_traversal(Traversal.model_validate(asked), VERSION, seed, 100))


@given(points, points, st.integers(2, 9))
def test_interpolations(start: dict[str, Any], end: dict[str, Any], frames: int) -> None:
    asked = Interpolation.model_validate({"from": start, "to": end, "frames": frames})
    check(plan_interpolation(asked, VERSION, start["seed"], 100))


def test_codes_that_are_too_long_are_recorded_by_their_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "LONGEST", 200)
    plans = [plan_items([{"seed": 1}, {"seed": seed}], VERSION, 1, 0, 1.0) for seed in (2, 3)]
    found = [parse_origin(plan.sheet_text()) for plan in plans]
    assert isinstance(found[0], SheetOrigin)
    assert isinstance(found[1], SheetOrigin)
    assert isinstance(found[0].images, str)
    assert found[0].images != found[1].images
