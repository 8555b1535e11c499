"""The path of the field at fault, whatever names a request uses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from starlette.testclient import TestClient

from service.api.images import ImagesRequest
from service.api.traversals import TraversalRequest
from service.validation import first_fault
from tests.service.conftest import refused

MEMBERS = [
    "str",
    "constrained-str",
    "int",
    "constrained-int",
    "list[float]",
    "dict[str,float]",
    "dict[constrained-str,constrained-float]",
    "literal['all']",
    "ClassAxis",
    "StyleAxis",
    "class",
    "[key]",
    "0",
]
"""Names that pydantic gives to members of unions, and other parts of its locations."""

characters = st.characters(exclude_characters=".", exclude_categories=["Cs"])  # pydantic drops lone surrogates
names = st.sampled_from(MEMBERS) | st.text(characters, min_size=1, max_size=5)


def fault_path(model: type[BaseModel], value: Any) -> str | None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(value)
    return first_fault(caught.value.errors(), value).field


@pytest.mark.parametrize("name", MEMBERS)
def test_a_blend_over_a_class_of_any_name_is_at_fault_there(client: TestClient, name: str) -> None:
    status, field, detail = refused(client, "/v1/images", {"class": {name: -1}})
    assert (status, field) == (422, f"class.{name}")
    assert detail == "Input should be greater than or equal to 0."


@given(st.dictionaries(names, st.floats(0, 1)), names, st.sampled_from([-1, "heavy", None, [], {}]))
def test_a_weight_is_at_fault_by_its_name_among_any_others(others: dict[str, float], name: str, weight: object) -> None:
    assert fault_path(ImagesRequest, {"class": others | {name: weight}}) == f"class.{name}"


@given(names, st.sampled_from(["steep", None, {}]))
def test_a_style_is_at_fault_by_its_name_or_place(name: str, value: object) -> None:
    assert fault_path(ImagesRequest, {"style": {name: value}}) == f"style.{name}"
    assert fault_path(ImagesRequest, {"style": [0.5, value]}) == "style.1"


@pytest.mark.parametrize("name", [name for name in MEMBERS if name != "class"])
def test_an_axis_of_another_kind_is_at_fault_as_a_whole(name: str) -> None:
    assert fault_path(TraversalRequest, {"columns": {name: 1}}) == "columns"


@pytest.mark.parametrize(
    ("columns", "path"),
    [
        ({"class": ["3", {}]}, "columns.class.1"),
        ({"class": {"ClassAxis": 1}}, "columns.class"),
        ({"style": "slant", "steps": "many"}, "columns.steps"),
        ({"style": "slant", "StyleAxis": 1}, "columns.StyleAxis"),
        ({"seed": [1, -1]}, "columns.seed.1"),
    ],
)
def test_a_part_of_an_axis_is_at_fault_by_its_place(columns: Any, path: str) -> None:
    assert fault_path(TraversalRequest, {"columns": columns}) == path


def test_a_name_that_is_not_valid_is_at_fault_by_itself(client: TestClient) -> None:
    assert refused(client, "/v1/images", {"class": {"": 1}}) == (
        422,
        "class.",
        "String should have at least 1 character.",
    )
    long = "x" * 101
    assert refused(client, "/v1/images", {"class": {"7": 1, long: 1}})[1] == f"class.{long}"


def test_a_field_that_is_missing_or_unknown_is_named_where_it_would_be() -> None:
    assert fault_path(TraversalRequest, {"seed": 1}) == "columns"
    assert fault_path(ImagesRequest, {"str": 1}) == "str"
    assert fault_path(ImagesRequest, []) == ""
