"""A server whose clock is set while clients are at work: NTP at a start, an operator, a machine that was asleep."""

import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx

from tests.conftest import program
from tests.end_to_end.conftest import serving, workers
from tests.faults.ledger import Ledger, drawn_by

DAYS = (30, -30, 1, 0)
WHOLE = b'POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{"n": 1}'


def set_clock(file: Path, days: int) -> None:
    """For processes of libfaketime, so many days from now."""
    beside = file.with_name("next")
    beside.write_text(f"{days:+}d")
    beside.replace(file)


def wait_for_clock(server: httpx.Client, days: int) -> None:
    """Until the server's answers are so many days ahead of the test's clock."""
    until = time.monotonic() + 60
    while days_ahead(server) != days:
        assert time.monotonic() < until


def days_ahead(server: httpx.Client) -> int:
    date = parsedate_to_datetime(server.get("/livez").headers["date"])
    return round((date - datetime.now(date.tzinfo)) / timedelta(days=1))


def opened(server: httpx.Client, sent: bytes) -> socket.socket:
    """A connection on which so much of a request has been sent."""
    connection = socket.create_connection((server.base_url.host, server.base_url.port or 0), timeout=60)
    connection.sendall(sent)
    return connection


def end(connection: socket.socket, rest: bytes) -> bytes:
    """Send the rest of the request; return how the answer begins."""
    with suppress(ConnectionError):
        connection.sendall(rest)
        return connection.recv(13, socket.MSG_WAITALL)
    return b"broken"


def test_a_clock_that_jumps_cuts_no_request_off(own_models: Path, tmp_path: Path) -> None:
    library = next(Path("/usr/lib").glob(f"*/{Path(program('faketime')).name}/libfaketimeMT.so.1"))
    clock = tmp_path / "clock"
    set_clock(clock, 0)
    settings = {
        "FAUSSAIRE_DEFAULT_MODEL": "small",
        "FAUSSAIRE_WATCH_SECONDS": "0.05",
        # Far more than this test takes, and far less than a jump.
        **{f"FAUSSAIRE_MAX_{what}_SECONDS": "900" for what in ("HEAD", "BODY", "IDLE", "STALLED")},
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    expected = drawn_by(own_models)
    with serving(own_models, tmp_path, **settings) as server, Ledger(server.base_url, expected) as ledger:
        ledger.wait_for(50)
        (worker,) = workers(own_models)
        for days in DAYS:
            with opened(server, b"") as idle, opened(server, WHOLE[:20]) as head, opened(server, WHOLE[:-3]) as body:
                set_clock(clock, days)
                wait_for_clock(server, days)
                ledger.wait_for(100)
                assert end(idle, WHOLE) == end(head, WHOLE[20:]) == end(body, WHOLE[-3:]) == b"HTTP/1.1 200 "
        assert workers(own_models) == [worker]
    assert ledger.wrong == []
    assert ledger.counts["broken"] == ledger.counts["refused"] == 0
    assert "Traceback" not in (tmp_path / "serve.log").read_text()
