import pytest
from starlette.testclient import TestClient


@pytest.mark.parametrize("path", ["/v1/models", "/v1/image?seed=1", "/metrics", "/docs", "/openapi.json"])
def test_head_is_answered_as_get_without_the_body(client: TestClient, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert int(head.headers["content-length"]) > 0


def test_a_slash_at_the_end_changes_nothing(client: TestClient) -> None:
    body = {"seed": 1}
    assert client.post("/v1/images/", json=body).content == client.post("/v1/images", json=body).content
    assert client.get("/v1/models/").json() == client.get("/v1/models").json()
    assert client.get("/v1/models/small/").json() == client.get("/v1/models/small").json()


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/models/small/more", "/v1/image/x", "/v1/%00"])
def test_an_unknown_address_is_a_problem_with_an_id(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"]
    assert answer.json()["type"] == "urn:faussaire:problem:not-found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("GET", "/v1/images", "POST"), ("POST", "/v1/models", "GET, HEAD")]
)
def test_a_wrong_method_is_told_the_right_one(client: TestClient, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.json()["type"] == "urn:faussaire:problem:method-not-allowed"
    assert answer.headers["x-request-id"]
