"""Keys as a client meets them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx import Response
from openapi_spec_validator import validate
from starlette.testclient import TestClient

from latent.keys import digest_of
from service.app import create_app
from service.settings import Settings

KEYS: dict[str, dict[str, Any]] = {
    "alice": {},
    "bob": {"rate": 0.001, "burst": 20},
    "carol": {"quota": 10},
    "dan": {"expires": "2026-01-31T12:00:00Z"},
    "erin": {"rate": 1000, "burst": 100, "quota": 1000},
}
"""By names that are their secrets too."""


@pytest.fixture(scope="module")
def settings(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    keys = {name: {"digest": digest_of(name)} | limits for name, limits in KEYS.items()}
    path = tmp_path_factory.mktemp("keys") / "keys.json"
    path.write_text(json.dumps({"keys": keys}))
    return Settings(models_dir=models_dir, default_model="small", keys_file=path, log_requests=True)


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


def asked(client: TestClient, key: str, **body: Any) -> Response:
    response: Response = client.post("/v1/images", json=body, headers={"Authorization": f"Bearer {key}"})
    return response


def problem(response: Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["type"].rpartition(":")[2]


@pytest.mark.parametrize(
    "header",
    [{"Authorization": "Bearer alice"}, {"authorization": "bearer  alice "}, {"X-Api-Key": "alice"}],
)
def test_a_key_lets_in(client: TestClient, header: dict[str, str]) -> None:
    assert client.post("/v1/images", json={}, headers=header).status_code == 200
    assert client.get("/v1/models", headers=header).status_code == 200


@pytest.mark.parametrize(
    ("path", "method"),
    [("/v1/images", "POST"), ("/v1/image", "GET"), ("/v1/models", "HEAD"), ("/v1/codes", "POST"), ("/v1/x", "GET")],
)
def test_without_a_key_nothing_is_told(client: TestClient, path: str, method: str) -> None:
    response = client.request(method, path, content=b"{}" if method == "POST" else None)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["x-request-id"]


@pytest.mark.parametrize("key", ["", "Alice", "alice2", digest_of("alice"), "é"])
def test_an_unknown_key_is_refused_and_not_echoed(client: TestClient, key: str) -> None:
    response = client.get("/v1/models", headers={"Authorization": f"Bearer {key}".encode()})
    assert problem(response) == (401, "unknown-key")
    assert not key or key not in response.text


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json", "/"])
def test_what_is_no_api_needs_no_key(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


def test_an_expired_key_is_told_since_when(client: TestClient) -> None:
    response = asked(client, "dan")
    assert problem(response) == (403, "key-expired")
    assert "2026-01-31T12:00:00+00:00" in response.json()["detail"]


def test_a_rate_is_kept(client: TestClient) -> None:
    assert asked(client, "bob", n=20).status_code == 200
    response = asked(client, "bob", n=1)
    assert problem(response) == (429, "rate-exceeded")
    assert int(response.headers["retry-after"]) > 900
    assert response.headers["ratelimit"].startswith('"rate";r=0;t=')
    # Not "refused": that is a sign of too much load, and an alert watches it.
    assert 'faussaire_key_requests_total{key="bob",outcome="limited"} 1.0' in client.get("/metrics").text


def test_a_quota_is_kept_by_every_way_to_draw(client: TestClient) -> None:
    assert asked(client, "carol", n=8).status_code == 200
    header = {"X-Api-Key": "carol"}
    interpolation = {"from": {"class": "1"}, "to": {"class": "2"}, "frames": 3}
    assert problem(client.post("/v1/interpolations", json=interpolation, headers=header)) == (429, "quota-spent")
    assert problem(client.post("/v1/traversals", json={"columns": {"class": "all"}}, headers=header))[0] == 429
    assert problem(client.post("/v1/datasets", json={"n": 3}, headers=header)) == (429, "quota-spent")
    assert client.get("/v1/image?seed=1", headers=header).status_code == 200
    etag = client.get("/v1/image?seed=2", headers=header).headers["etag"]
    assert problem(client.get("/v1/image?seed=3", headers=header)) == (429, "quota-spent")
    kept = client.get("/v1/image?seed=2", headers=header | {"If-None-Match": etag})
    assert kept.status_code == 304  # nothing is drawn


def test_what_is_left_is_told(client: TestClient) -> None:
    headers = asked(client, "erin", n=10).headers
    assert headers["ratelimit-policy"] == '"rate";q=100;qu="images";w=1, "day";q=1000;qu="images";w=86400'
    assert '"day";r=990;t=' in headers["ratelimit"]
    assert "ratelimit" not in asked(client, "alice").headers


def test_a_request_that_is_wrong_costs_nothing(client: TestClient) -> None:
    header = {"X-Api-Key": "erin"}
    before = client.get("/v1/models", headers=header).headers["ratelimit"].split(", ")[1]
    assert client.post("/v1/images", json={"n": 0}, headers=header).status_code == 422
    assert client.post("/v1/images", json={"class": "eleven"}, headers=header).status_code == 422
    after = client.get("/v1/models", headers=header).headers["ratelimit"].split(", ")[1]
    assert before.partition(";t=")[0] == after.partition(";t=")[0]


def test_metrics_and_log_have_names_and_no_secret(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with TestClient(create_app(settings)) as client:
        assert asked(client, "alice", n=2).status_code == 200
        client.get("/v1/models", headers={"X-Api-Key": "Mallory"})
        scraped = client.get("/metrics").text
    out = capsys.readouterr().out
    assert '"key": "alice"' in out
    assert "Mallory" not in out
    assert 'faussaire_key_requests_total{key="alice",outcome="ok"}' in scraped
    assert 'faussaire_key_images_total{key="alice"}' in scraped
    assert "Mallory" not in scraped


def test_a_revoked_key_is_refused_at_the_next_look(models_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(f'{{"keys": {{"alice": {{"digest": "{digest_of("alice")}"}}}}}}')
    settings = Settings(models_dir=models_dir, default_model="small", keys_file=path, watch_seconds=0.01)
    with TestClient(create_app(settings)) as client:
        assert asked(client, "alice").status_code == 200
        path.write_text('{"keys": {}}')
        until = time.monotonic() + 30
        while asked(client, "alice").status_code != 401:
            assert time.monotonic() < until


def test_the_documents_tell_of_keys(client: TestClient) -> None:
    for path in ("/openapi.json", "/openapi-3.0.json"):
        document = client.get(path).json()
        validate(document)
        assert document["security"] == [{"key": []}]
        assert document["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
        assert {"401", "403"} <= set(document["paths"]["/v1/images"]["post"]["responses"])


def test_without_a_file_of_keys_nothing_of_them_is_told(models_dir: Path) -> None:
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small"))) as client:
        assert client.get("/v1/models").status_code == 200
        assert "security" not in client.get("/openapi.json").json()
