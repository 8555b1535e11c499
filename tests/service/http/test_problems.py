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
