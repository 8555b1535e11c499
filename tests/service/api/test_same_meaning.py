"""What means the same is read the same: null and what is absent, 1.0 and 1, a default and nothing."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.app import OPERATIONS
from service.http.operation import Operation

DRAWING = [row for row in OPERATIONS if row.body is not None]
SAID: dict[str, dict[str, Any]] = {
    "/v1/images": {"seed": 1, "class": 7, "n": 3, "style": [1, 0]},
    "/v1/traversals": {"seed": 1, "columns": {"style": 0, "steps": 5}, "rows": {"class": [1, 2]}, "index": 2},
    "/v1/interpolations": {"from": {"seed": 1, "class": 1}, "to": {"seed": 2, "index": 3}, "frames": 5},
    "/v1/datasets": {"seed": 1, "n": 5, "shards": 2, "shard": 1},
}
"""A request of each, whose whole numbers say something."""


def post(client: TestClient, path: str, body: Any) -> Any:
    response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response.content


def optional(row: Operation) -> dict[str, Any]:
    """The fields that need not be sent, by the names that clients use, with their defaults."""
    assert row.body is not None
    fields = {field.alias or name: field for name, field in row.body.model_fields.items()}
    return {
        name: field.get_default(call_default_factory=True) for name, field in fields.items() if not field.is_required()
    }


@pytest.mark.parametrize("row", DRAWING, ids=lambda row: row.path)
def test_every_default_may_be_sent(client: TestClient, row: Operation) -> None:
    said = SAID[row.path]
    assert post(client, row.path, optional(row) | said) == post(client, row.path, said)


@pytest.mark.parametrize("row", DRAWING, ids=lambda row: row.path)
def test_null_is_what_is_absent(client: TestClient, row: Operation) -> None:
    said = SAID[row.path]
    assert post(client, row.path, dict.fromkeys(optional(row)) | said) == post(client, row.path, said)


def test_defaults_may_stand_beside_items(client: TestClient) -> None:
    items = {"items": [{"class": "7", "seed": 2, "index": None, "noise": None}, {}], "seed": 1}
    sent = items | {"n": 1, "class": None, "style": None, "noise": None, "scale": 1, "index": 0, "truncation": 1.0}
    assert post(client, "/v1/images", sent) == post(
        client, "/v1/images", {"items": [{"class": "7", "seed": 2}, {}], "seed": 1}
    )


def floating(value: Any) -> Any:
    """Whole numbers as some languages write all numbers."""
    if isinstance(value, dict):
        return {key: floating(member) for key, member in value.items()}
    if isinstance(value, list):
        return [floating(member) for member in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("row", DRAWING, ids=lambda row: row.path)
def test_a_whole_number_with_a_point_is_whole(client: TestClient, row: Operation) -> None:
    said = SAID[row.path]
    assert post(client, row.path, floating(said)) == post(client, row.path, said)


def test_null_makes_no_field_of_what_is_none(client: TestClient) -> None:
    response = client.post("/v1/images", json={"n": None, "colour": None})
    assert (response.status_code, response.json()["field"]) == (422, "colour")
    assert client.post("/v1/images", json={"": None}).status_code == 422


@pytest.mark.parametrize(
    "wrong", [{"n": 1.5}, {"seed": 1e300}, {"seed": -1.0}, {"n": True}, {"n": "1"}, {"index": [1]}]
)
def test_what_means_nothing_is_still_refused(client: TestClient, wrong: dict[str, Any]) -> None:
    response = client.post("/v1/images", json=wrong)
    assert (response.status_code, response.json()["field"]) == (422, *wrong)


def test_parameters_without_a_value_are_absent(client: TestClient) -> None:
    bare = client.get("/v1/image?class=7").content
    assert client.get("/v1/image?class=7&seed=&style=&scale=&model=&truncation=").content == bare


@pytest.mark.parametrize(
    "more", ["_=1", "fbclid=abc", "gclid=a&utm_source=b&utm_medium=c", "v=2", "ref=mail&cb=17", "%ff=%fe", "=", "&&"]
)
def test_what_is_added_to_a_shared_link_changes_nothing(client: TestClient, more: str) -> None:
    assert client.get(f"/v1/image?class=7&{more}").content == client.get("/v1/image?class=7").content


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("class=7&class=8", "class"),
        ("seed=1&seed=1", "seed"),
        ("seed=1&seed=", "seed"),
        ("sedd=1", "sedd"),
        ("n=2", "n"),
    ],
)
def test_a_parameter_twice_or_misspelt_is_named(client: TestClient, query: str, field: str) -> None:
    response = client.get(f"/v1/image?{query}")
    assert (response.status_code, response.json()["field"]) == (422, field)


@pytest.mark.parametrize("style", ["0.30000000000000004", "1e-7", ".5", "0.5, -0.5", "%2B0.5", "-0", "1E-2", " 0.1 "])
def test_every_way_to_write_a_number_is_read(client: TestClient, style: str) -> None:
    numbers = [float(part) for part in style.replace("%2B", "+").split(",")]
    asked = {"class": "7", "seed": 0, "style": numbers}
    assert client.get(f"/v1/image?class=7&style={style}").content == post(client, "/v1/images", asked)


@pytest.mark.parametrize("style", ["nan", "inf", "1_0", "0x1", "0.5;0.5", "0,,1", "½"])
def test_what_is_no_number_is_refused(client: TestClient, style: str) -> None:
    response = client.get("/v1/image", params={"style": style})
    assert (response.status_code, response.json()["field"]) == (422, "style")


unit = st.floats(-1, 1, width=32)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(style=st.tuples(unit, st.floats(-0.5, 2, width=32)), index=st.integers(0, 10**6))
def test_the_codes_that_the_service_tells_draw_the_image_again(
    client: TestClient, style: tuple[float, float], index: int
) -> None:
    content = post(client, "/v1/images", {"class": "3", "style": list(style), "seed": 4, "index": index})
    told = client.post("/v1/codes", content=content).json()
    assert (
        post(client, "/v1/images", {"class": told["class"], "style": told["styles"], "seed": 4, "index": index})
        == content
    )
    styles = ",".join(json.dumps(value) for value in told["styles"].values())
    assert client.get(f"/v1/image?class=3&seed=4&index={index}&style={styles}").content == content


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x-nothing"])
@pytest.mark.parametrize(("path", "body"), [("/v1/images", b"{}"), ("/v1/codes", b"any"), ("/v1/verify", b"any")])
def test_a_body_that_is_labelled_as_compressed_is_refused_by_its_label(
    client: TestClient, coding: str, path: str, body: bytes
) -> None:
    headers = {"content-type": "application/json", "content-encoding": coding}
    response = client.post(path, content=body, headers=headers)
    assert (response.status_code, response.json()["field"]) == (415, "Content-Encoding")
    assert response.headers["accept-encoding"] == "identity"
    assert client.post("/v1/images", content=b"{}", headers=headers | {"content-encoding": "Identity"}).is_success
