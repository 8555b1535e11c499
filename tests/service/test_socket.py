"""The batcher behind a real server on a real socket. No test has a clock: an inference runs when the test lets it."""

import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from numpy.typing import NDArray
from prometheus_client.parser import text_string_to_metric_families

from latent import Codes
from service.app import create_app
from service.inference import batcher
from service.inference.generator import Generator
from service.settings import Settings
from tests.conftest import listening

LARGE = 1_000
FAILS = -0.5
"""the second style code of an image that cannot be drawn"""


class Gate:
    """Stands before every inference, once it is shut, and remembers how many rows each had."""

    def __init__(self) -> None:
        self._shut = False
        self._turns = threading.Semaphore(0)
        self._arrived = threading.Semaphore(0)
        self.rows: list[int] = []

    def shut(self) -> None:
        self._shut = True

    def let_through(self, count: int) -> None:
        self._turns.release(count)

    def wait_for_one(self) -> None:
        assert self._arrived.acquire(timeout=30)

    def pass_through(self, codes: Codes) -> None:
        if self._shut:
            self.rows.append(len(codes))
            self._arrived.release()
            assert self._turns.acquire(timeout=30)
        if codes.styles.size and (codes.styles[:, 1] == FAILS).any():
            raise ValueError("cannot be drawn")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate, honest = Gate(), Generator.generate

    def generate(self: Generator, codes: Codes) -> NDArray[Any]:
        gate.pass_through(codes)
        return honest(self, codes)

    monkeypatch.setattr(Generator, "generate", generate)
    monkeypatch.setattr(batcher, "QUICK", 0.0)  # all inferences in the thread: one that waits must not hold up the rest
    return gate


@pytest.fixture
def server(gate: Gate, models_dir: Path) -> Iterator[httpx.Client]:
    settings = Settings(
        models_dir=models_dir, default_model="small", max_queue_rows=LARGE + 1, max_streams=1, watch_seconds=0
    )
    limits = httpx.Limits(max_keepalive_connections=0)  # else a closed client's connection outlives its request
    with listening(create_app(settings)) as url, httpx.Client(base_url=url, timeout=60, limits=limits) as http:
        try:
            yield http
        finally:
            gate.let_through(1_000)


@pytest.fixture
def crowd() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as crowd:
        yield crowd


def requests_of(server: httpx.Client, outcome: str) -> float:
    families = text_string_to_metric_families(server.get("/metrics").text)
    samples = [s for f in families for s in f.samples if s.name == "faussaire_requests_total"]
    return sum(s.value for s in samples if (s.labels["route"], s.labels["outcome"]) == ("/v1/images", outcome))


def queued(server: httpx.Client) -> float:
    families = text_string_to_metric_families(server.get("/metrics").text)
    samples = [s for f in families for s in f.samples if s.name == "faussaire_queue_rows"]
    return sum(s.value for s in samples if s.labels == {"model": "small"})


def in_flight(server: httpx.Client) -> float:
    families = text_string_to_metric_families(server.get("/metrics").text)
    (sample,) = (s for f in families for s in f.samples if s.name == "faussaire_requests_in_flight")
    return sample.value - 1  # Prometheus's own


def wait_until_queued(server: httpx.Client, rows: int) -> None:
    for _ in range(3_000):
        if queued(server) == rows:
            return
    raise AssertionError(f"{queued(server)} rows wait, and not {rows}")


def ask(crowd: ThreadPoolExecutor, server: httpx.Client, **body: Any) -> "Future[httpx.Response]":
    return crowd.submit(server.post, "/v1/images", json={"seed": 1, "style": [0, 0]} | body)


def busy(gate: Gate, crowd: ThreadPoolExecutor, server: httpx.Client) -> "Future[httpx.Response]":
    """A request whose one row is at the gate: what comes after it waits."""
    gate.shut()
    first = ask(crowd, server)
    gate.wait_for_one()
    return first


def test_a_small_request_does_not_wait_for_a_large_one_to_end(
    gate: Gate, server: httpx.Client, crowd: ThreadPoolExecutor
) -> None:
    first = busy(gate, crowd, server)
    large = ask(crowd, server, n=LARGE)
    wait_until_queued(server, LARGE)
    small = ask(crowd, server, n=1)
    wait_until_queued(server, LARGE + 1)
    gate.let_through(2)
    assert first.result(30).status_code == small.result(30).status_code == 200
    gate.wait_for_one()
    gate.wait_for_one()  # the third inference is at the gate, with more of the large request behind it
    assert not large.done()
    assert sum(gate.rows[:2]) < LARGE
    gate.let_through(100)
    assert large.result(30).status_code == 200
    assert sum(gate.rows) == LARGE + 2


def test_a_client_that_leaves_frees_its_rows_and_they_are_not_drawn(
    gate: Gate, server: httpx.Client, crowd: ThreadPoolExecutor
) -> None:
    before = requests_of(server, "gone")
    first = busy(gate, crowd, server)
    body = json.dumps({"n": LARGE}).encode()
    head = (
        f"POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with closing(socket.create_connection((server.base_url.host, server.base_url.port or 80))) as leaving:
        leaving.sendall(head.encode() + body)
        wait_until_queued(server, LARGE)
    for _ in range(3_000):
        if requests_of(server, "gone") == before + 1:
            break
    assert requests_of(server, "gone") == before + 1
    gate.let_through(100)
    assert first.result(30).status_code == 200
    assert ask(crowd, server, n=LARGE).result(30).status_code == 200  # it has the room that the other had
    assert gate.rows[0] == 1
    assert sum(gate.rows) == 1 + LARGE
    assert queued(server) == 0


def test_a_client_that_leaves_a_stream_frees_its_place(server: httpx.Client) -> None:
    endless = {"n": 10**9, "format": "webdataset"}
    with server.stream("POST", "/v1/datasets", json=endless) as stream:
        parts = stream.iter_raw()  # which the stream ends with
        next(parts)
        assert server.post("/v1/datasets", json={"n": 1}).status_code == 429
        assert in_flight(server) == 1
    assert any(server.post("/v1/datasets", json={"n": 1}).status_code == 200 for _ in range(3_000))
    assert any(in_flight(server) == 0 for _ in range(3_000))


def test_a_full_queue_is_429_with_retry_after_and_those_who_wait_are_served(
    gate: Gate, server: httpx.Client, crowd: ThreadPoolExecutor
) -> None:
    first = busy(gate, crowd, server)
    waiting = ask(crowd, server, n=LARGE)
    wait_until_queued(server, LARGE)
    assert in_flight(server) == 2
    refused = ask(crowd, server, n=2).result(30)
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1
    gate.let_through(100)
    assert first.result(30).status_code == waiting.result(30).status_code == 200
    assert ask(crowd, server, n=2).result(30).status_code == 200
    assert any(in_flight(server) == 0 for _ in range(3_000))


def test_a_row_that_fails_fails_alone(gate: Gate, server: httpx.Client, crowd: ThreadPoolExecutor) -> None:
    bodies: list[dict[str, Any]] = [{"n": 3}, {"style": [0, FAILS]}, {"n": 2, "index": 5}]
    alone = [server.post("/v1/images", json={"seed": 1, "style": [0, 0]} | body).content for body in bodies]
    first = busy(gate, crowd, server)
    answers = []
    for rows, body in zip((3, 4, 6), bodies, strict=True):
        answers.append(ask(crowd, server, **body))
        wait_until_queued(server, rows)
    gate.let_through(100)
    assert first.result(30).status_code == 200
    assert [answer.result(30).status_code for answer in answers] == [200, 500, 200]
    assert [answer.result(30).content for answer in answers] == alone
    assert gate.rows[1] == 6  # they were in one batch
