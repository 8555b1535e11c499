"""Connections that cost and give nothing, beside clients who are at work."""

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.end_to_end.conftest import serving, workers
from tests.faults.ledger import Ledger, drawn_by

IDLE = 1_000
SETTINGS = {"FAUSSAIRE_DEFAULT_MODEL": "small", "FAUSSAIRE_MAX_CONNECTIONS": "2000"}
SLOW = (
    b'POST /v1/datasets HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"n":90000}'
)


@pytest.fixture
def descriptors() -> Iterator[None]:
    """Enough for the test itself."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8_192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("descriptors")
def test_idle_connections_and_slow_readers_disturb_nobody(own_models: Path, tmp_path: Path) -> None:
    expected = drawn_by(own_models)
    with serving(own_models, tmp_path, **SETTINGS) as server, ExitStack() as opened:
        address = (server.base_url.host, server.base_url.port or 0)
        for _ in range(IDLE):
            opened.enter_context(socket.create_connection(address, timeout=60))
        for _ in range(4):
            slow = opened.enter_context(socket.create_connection(address, timeout=60))
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1_024)
            slow.sendall(SLOW)
            assert slow.recv(1) == b"H"
        with Ledger(server.base_url, expected) as ledger:
            ledger.wait_for(300)
    assert ledger.wrong == []
    assert ledger.counts["broken"] == ledger.counts["refused"] == 0


@pytest.mark.usefixtures("descriptors")
def test_a_worker_without_descriptors_serves_who_is_there_and_recovers(own_models: Path, tmp_path: Path) -> None:
    expected = drawn_by(own_models)
    with serving(own_models, tmp_path, **SETTINGS) as server, Ledger(server.base_url, expected) as ledger:
        ledger.wait_for(50)
        (worker,) = workers(own_models)
        limits = resource.prlimit(worker.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (worker.num_fds() + 10, limits[1]))
        address = (server.base_url.host, server.base_url.port or 0)
        with ExitStack() as opened:
            for _ in range(50):
                opened.enter_context(socket.create_connection(address, timeout=60))
            ledger.wait_for(200)
        assert httpx.get(server.base_url.join("/readyz"), timeout=60).status_code == 200
        ledger.wait_for(50)
        assert workers(own_models) == [worker]
    assert ledger.wrong == []
    assert ledger.counts["broken"] == 0
    assert len((tmp_path / "serve.log").read_text().splitlines()) < 100
