import pytest
from starlette.testclient import TestClient

from latent import Codes
from service.inference.batcher import Batcher, Drawn

BROKEN: list[tuple[bytes, int]] = [
    (b"{", 400),
    (b"", 422),
    (b"[]", 422),
    (b"null", 422),
    (b'"text"', 422),
    (b'{"style": [NaN]}', 422),
    (b'{"style": [Infinity]}', 422),
    (b'{"noise": [NaN]}', 422),
    (b'{"truncation": NaN}', 422),
    (b'{"class": {"1": Infinity}}', 422),
    (b'{"items": [{"style": [NaN]}]}', 422),
    (b'{"items": [' + b"[" * 60_000, 400),
    (b'{"style": [1e999]}', 422),
    (b'{"class": "\\ud800"}', 422),
    (b"[" * 60_000, 400),
    (b"\xff\xfe", 400),
    (b'{"n": ' + b"9" * 5_000 + b"}", 422),
]


@pytest.mark.parametrize(("body", "status"), BROKEN, ids=[str(b[:20]) for b, _ in BROKEN])
def test_a_broken_body_is_the_clients_fault_and_never_echoed(client: TestClient, body: bytes, status: int) -> None:
    response = client.post("/v1/images", content=body, headers={"content-type": "application/json"})
    assert response.status_code in {status, 400}
    assert response.headers["content-type"] == "application/problem+json"
    assert b"Traceback" not in response.content
    assert len(response.content) < 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"n": 1, "n": 2}',
        b'{"n": 2, "seed": 1, "n": 2}',
        b'{"style": {"slant": 0.5, "slant": 0.6}}',
        b'{"class": {"7": 1, "3": 1, "7": 1}}',
        b'{"items": [{"class": "7"}, {"class": "3", "class": "7"}]}',
        b'{"items": [{"seed": 1}, {"seed": 2, "s\\u0065ed": 3}]}',
        b'{"n": null, "n": 2}',
    ],
)
def test_a_member_that_is_there_twice_is_refused(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/images", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 422
    assert response.json()["detail"] == "An object has two members of one name; send each once."


def test_colons_and_members_of_other_objects_are_no_second_member(client: TestClient) -> None:
    for body in ({"style": {"slant": 0.5, "width": 0.5}}, {"items": [{"seed": 1}, {"seed": 1}]}):
        assert client.post("/v1/images", json=body).status_code == 200
    colons = client.post("/v1/images", json={"class": "::", "model": "::"})
    assert colons.json()["type"].endswith(":unknown-model")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_named(client: TestClient, encoding: str) -> None:
    response = client.post(
        "/v1/images", content='{"n": 1}'.encode(encoding), headers={"content-type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["detail"] == "Send JSON in UTF-8, without a byte order mark."


def test_an_unexpected_error_tells_the_client_nothing(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Batcher, __: Codes) -> Drawn:
        raise RuntimeError("the inside")

    monkeypatch.setattr(Batcher, "submit", fail)
    response = client.post("/v1/images", json={"seed": 1})
    assert response.status_code == 500
    assert set(response.json()) == {"type", "title", "status", "detail"}
    assert "inside" not in response.text
    assert "inside" in caplog.text
