import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from service.errors import RangeNotSatisfiable
from service.http.headers import choose_range, quality
from tests.service.conftest import refused

LIKED = [
    ("", "image/png"),
    ("*/*", "image/png"),
    ("image/*", "image/png"),
    ("application/zip", "application/zip"),
    ("application/json", "application/json"),
    ("application/x-npy", "application/x-npy"),
    ("APPLICATION/JSON; Q=0.5", "application/json"),
    ("application/json;charset=utf-8", "application/json"),
    ("application/*", "application/zip"),
    ("image/png;q=0.5, application/zip", "application/zip"),
    ("application/zip;q=0.2, application/json;q=0.3", "application/json"),
    ("image/png;q=0, */*", "application/zip"),
    ("*/*;q=0.1, application/x-npy;q=0.2", "application/x-npy"),
    ("text/html, application/json;q=0.9, */*;q=0.8", "application/json"),
    ("image/webp, image/*;q=0.8", "image/png"),
    ("application/zip;q=many, image/png;q=0.1", "image/png"),
]


@pytest.mark.parametrize(("accept", "media_type"), LIKED)
def test_what_accept_likes_most_is_the_answers_type(client: TestClient, accept: str, media_type: str) -> None:
    response = client.post("/v1/images", json={"seed": 1, "n": 2}, headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"] == media_type
    assert response.headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["text/html", "image/png;q=0", "*/*;q=0", "image/jpeg, text/*", "nonsense"])
def test_where_nothing_that_there_is_is_accepted_the_answer_is_406_with_the_choices(
    client: TestClient, accept: str
) -> None:
    status, field, detail = refused(client, "/v1/images", {"seed": 1}, Accept=accept)
    assert (status, field) == (406, "Accept")
    for choice in ("image/png", "application/zip", "application/json", "application/x-npy", "'format'"):
        assert choice in detail


def test_a_format_that_is_named_is_given_whatever_is_accepted(client: TestClient) -> None:
    response = client.post("/v1/images", json={"seed": 1, "format": "zip"}, headers={"Accept": "text/html"})
    assert response.headers["content-type"] == "application/zip"


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_any_header_gives_a_quality_from_0_to_1(accept: str) -> None:
    assert 0 <= quality(accept, "image/png") <= 1


@given(st.one_of(st.text(), st.from_regex(r"bytes=\d{0,3}-\d{0,3}", fullmatch=True)), st.integers(1, 200))
def test_any_header_gives_a_range_within_the_file_or_none(asked: str, size: int) -> None:
    try:
        found = choose_range(asked, size)
    except RangeNotSatisfiable:
        return
    assert found is None or 0 <= found[0] < found[1] <= size
