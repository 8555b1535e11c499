"""A request's line in the log, as a program that gathers logs reads it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings

TRACE = "0af7651916cd43dd8448eb211c80319c"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Lines:
    """Those written since it was last asked."""
    return lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def client_of(models_dir: Path, *, log_requests: bool) -> TestClient:
    return TestClient(create_app(Settings(models_dir=models_dir, default_model="small", log_requests=log_requests)))


def test_a_request_is_one_line_that_tells_what_it_was_and_how_it_went(models_dir: Path, lines: Lines) -> None:
    with client_of(models_dir, log_requests=True) as client:
        headers = {"X-Request-Id": "abc-1", "traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
        client.post("/v1/images", json={"model": "plain", "n": 7}, headers=headers)
        (line,) = lines()
    assert line.pop("milliseconds") > 0
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "request_id": "abc-1",
        "trace_id": TRACE,
        "route": "/v1/images",
        "status": 200,
        "key": None,
        "model": "plain",
        "images": 7,
    }


def test_what_is_refused_is_a_line_too(models_dir: Path, lines: Lines) -> None:
    with client_of(models_dir, log_requests=True) as client:
        client.post("/v1/images", json={"n": 0})
        client.post("/v1/images", content=b" " * 100_000)
        client.post("/v1/images", json={"n": 100, "scale": 16, "format": "npy"})
        told = [[line[key] for key in ("route", "status", "model", "images")] for line in lines()]
    assert told == [["/v1/images", 422, "none", 0], ["other", 413, "none", 0], ["/v1/images", 422, "small", 0]]


def test_probes_leave_no_line(models_dir: Path, lines: Lines) -> None:
    with client_of(models_dir, log_requests=True) as client:
        assert [client.get(path).status_code for path in ("/livez", "/readyz", "/v1/models")] == [200, 200, 200]
        assert [line["route"] for line in lines()] == ["/v1/models"]


@pytest.mark.parametrize(
    ("path", "body", "images"),
    [
        ("/v1/traversals", {"columns": {"class": "all"}}, 10),
        ("/v1/interpolations", {"from": {}, "to": {}, "frames": 5, "format": "zip"}, 5),
        ("/v1/datasets", {"n": 700, "shards": 2}, 350),
    ],
)
def test_a_line_tells_how_many_images_were_asked_for(
    models_dir: Path, lines: Lines, path: str, body: dict[str, Any], images: int
) -> None:
    with client_of(models_dir, log_requests=True) as client:
        assert client.post(path, json=body).status_code == 200
        assert [line["images"] for line in lines()] == [images]
        client.get("/v1/image?seed=1")
        client.get("/v1/image?seed=1")  # which is kept
        assert [line["images"] for line in lines()] == [1, 1]


def test_a_line_says_nothing_of_who_asked_nor_of_what(models_dir: Path, lines: Lines) -> None:
    with client_of(models_dir, log_requests=True) as client:
        secret = "Secret"
        headers = {"User-Agent": secret, "Cookie": secret, "X-Forwarded-For": secret, "Authorization": secret}
        client.get(f"/v1/image?class={secret}", headers=headers)
        client.get(f"/v1/models/{secret}", headers=headers)
        client.get(f"/{secret}?{secret}", headers=headers | {"X-Request-Id": f"{secret} {secret}"})
        client.post("/v1/images", json={"model": secret, secret: secret}, headers={"traceparent": secret})
        written = json.dumps(lines())
    assert written.count("request_id") == 4
    assert secret not in written
    assert "testclient" not in written  # the client's address


@pytest.mark.parametrize(
    "traceparent",
    ["", "00", f"00-{'0' * 32}-b7ad6b7169203331-01", f"00-{TRACE}-{'0' * 16}-01", f"ff-{TRACE}-b7ad6b7169203331-01"],
)
def test_what_is_no_trace_is_told_as_none(models_dir: Path, lines: Lines, traceparent: str) -> None:
    with client_of(models_dir, log_requests=True) as client:
        client.get("/v1/models", headers={"traceparent": traceparent})
        assert [line["trace_id"] for line in lines()] == [None]


def test_there_are_no_lines_unless_they_are_asked_for(models_dir: Path, lines: Lines) -> None:
    with client_of(models_dir, log_requests=False) as client:
        assert client.post("/v1/images", json={}).status_code == 200
    assert lines() == []
