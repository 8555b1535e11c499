"""A real server's connections, by raw bytes: what real clients and bad ones send."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.conftest import listening

BODY = b'{"seed": 5, "format": "json"}'
JSON = b"Content-Type: application/json\r\n"
END = b"Connection: close\r\n"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@pytest.fixture(scope="module")
def url(models_dir: Path) -> Iterator[str]:
    with listening(create_app(Settings(models_dir=models_dir, default_model="small"))) as url:
        yield url


def bounded(models_dir: Path, **settings: Any) -> Any:
    app = create_app(Settings(models_dir=models_dir, default_model="small", **settings))
    return listening(app, **settings)


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    client = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def read_all(client: socket.socket) -> bytes:
    """Until the server ends the connection."""
    parts = []
    while part := client.recv(65_536):
        parts.append(part)
    return b"".join(parts)


def talk(url: str, *packets: bytes) -> bytes:
    with connect(url) as client:
        for packet in packets:
            client.sendall(packet)
        return read_all(client)


def read_answer(client: socket.socket) -> tuple[bytes, bytes]:
    """The head and the body of one answer whose length is told."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += client.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.findall(rb"content-length: (\d+)", head)[0])
    while len(body) < length:
        body += client.recv(65_536)
    return head, body


def statuses(answers: bytes) -> list[int]:
    return [int(status) for status in STATUS.findall(answers)]


def post(more: bytes = END, body: bytes = BODY, path: bytes = b"/v1/images", version: bytes = b"1.1") -> bytes:
    head = b"POST %b HTTP/%b\r\nHost: t\r\n%bContent-Length: %d\r\n%b\r\n" % (path, version, JSON, len(body), more)
    return head + body


def get(path: bytes = b"/v1/models", more: bytes = b"") -> bytes:
    return b"GET %b HTTP/1.1\r\nHost: t\r\n%b\r\n" % (path, more)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (get(b"/v1/image", END), 200),
        (get(b"/metrics", END), 200),
        (get(b"/nothing", END), 404),
        (get(b"/docs/", END), 307),
        (get(b"/v1/image", END + b"If-None-Match: *\r\n"), 304),
        (post(body=b"no JSON"), 400),
        (b"HEAD / HTTP/1.0\r\n\r\n", 200),
        (b"no request\r\n\r\n", 400),
    ],
)
def test_no_answer_is_taken_for_another_media_type(url: str, request_: bytes, status: int) -> None:
    answer = talk(url, request_)
    assert statuses(answer) == [status]
    assert answer.lower().count(b"\r\nx-content-type-options: nosniff\r\n") == 1


SMUGGLED = get(b"/smuggled")
CHUNKED = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)


@pytest.mark.parametrize("upgrade", [b"h2c", b"websocket", b"TLS/1.0", b"anything, else"])
def test_an_upgrade_is_ignored_and_the_request_is_served(url: str, upgrade: bytes) -> None:
    more = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: %b\r\nHTTP2-Settings: AAMAAABkAAQ\r\n" % upgrade
    whole = post(more)
    expected = httpx.post(f"{url}/v1/images", json=json.loads(BODY)).content
    for cut in (len(whole), len(whole) - len(BODY), len(whole) - 5, 40):
        with connect(url) as client:
            client.sendall(whole[:cut])
            client.sendall(whole[cut:])
            head, body = read_answer(client)
            assert (statuses(head), body) == ([200], expected)
            client.sendall(get(more=END))  # the connection goes on
            assert statuses(read_all(client)) == [200]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
@pytest.mark.parametrize(
    "hides", [b"Upgrade: h2c\r\nConnection: Upgrade\r\n", b"Connection: Upgrade\r\nUpgrade: x\r\n"]
)
def test_a_body_after_an_upgrade_is_never_a_request(url: str, hides: bytes, version: bytes) -> None:
    with connect(url) as client:
        client.sendall(post(hides, SMUGGLED, version=version))
        head, _ = read_answer(client)
        assert statuses(head) == [400]  # it is no JSON
        client.shutdown(socket.SHUT_WR)
        assert read_all(client) == b""


SHAPES = {
    "a length and chunks": JSON + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKED + SMUGGLED,
    "chunks and a length": JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n" + CHUNKED + SMUGGLED,
    "an upgrade, a length and chunks": JSON
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n"
    + CHUNKED
    + SMUGGLED,
    "two lengths": JSON + b"Content-Length: 0\r\nContent-Length: 40\r\n\r\n" + SMUGGLED,
    "two equal lengths": JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "a list of lengths": JSON + b"Content-Length: 2, 2\r\n\r\n{}" + SMUGGLED,
    "a signed length": JSON + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED,
    "a length in hexadecimal": JSON + b"Content-Length: 0x2\r\n\r\n{}" + SMUGGLED,
    "a length that overflows": JSON + b"Content-Length: 18446744073709551618\r\n\r\n{}" + SMUGGLED,
    "a folded header": JSON + b"X: a\r\n b\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "a bare carriage return": JSON + b"X: a\rContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "bare line feeds": b"Content-Length: 2\n\n{}" + SMUGGLED,
    "a blank before the colon": JSON + b"Content-Length : 2\r\n\r\n{}" + SMUGGLED,
    "a coding that is not known": JSON + b"Transfer-Encoding: xchunked\r\n\r\n" + CHUNKED + SMUGGLED,
    "chunks that are not last": JSON + b"Transfer-Encoding: chunked, identity\r\n\r\n" + CHUNKED + SMUGGLED,
    "two codings": JSON + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + CHUNKED + SMUGGLED,
    "a chunk size of another kind": JSON + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
    "chunks by line feeds": JSON + b"Transfer-Encoding: chunked\r\n\r\n2\n{}\n0\n\n" + SMUGGLED,
    "a null in a name": b"X\0: a\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "a null in a value": b"X: a\0\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_what_two_servers_may_read_as_two_requests_is_one_refusal(url: str, shape: str) -> None:
    answers = talk(url, b"POST /v1/images HTTP/1.1\r\nHost: t\r\n" + SHAPES[shape])
    assert statuses(answers) == [400]
    assert json.loads(answers.partition(b"\r\n\r\n")[2])["type"].endswith(":malformed-request")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /v1/models HTTP/2.0\r\n\r\n",
        b"GET /v1/models HTTP/0.9\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: t\r\n\r\n" + SMUGGLED,
        b"BREW /v1/images HTTP/1.1\r\n\r\n",
        b"GET /v1/\xff HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: t\r\nhost: t\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
        b"GET /v1/models HTTP/1.0\r\nHost: t\r\nHost: u\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused_as_a_problem(url: str, sent: bytes) -> None:
    answer = talk(url, sent)
    assert statuses(answer) == [400]
    assert b"content-type: application/problem+json" in answer
    assert b"connection: close" in answer


def test_requests_in_one_packet_are_answered_in_their_order(url: str) -> None:
    answers = talk(url, post(b"") + get(b"/nothing") + get() + post())
    assert statuses(answers) == [200, 404, 200, 200]


def test_what_follows_a_last_request_is_not_read(url: str) -> None:
    assert statuses(talk(url, get(more=END) + SMUGGLED)) == [200]


def test_a_fault_is_told_after_the_answers_before_it(url: str) -> None:
    assert statuses(talk(url, post(b"") + get() + b"no request\r\n\r\n" + get())) == [200, 200, 400]


def test_a_body_that_breaks_the_rules_of_chunks_is_refused(url: str) -> None:
    begin = b"POST /v1/images HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n" + JSON + b"\r\n2\r\n{"
    assert statuses(talk(url, begin, b"}oops" + SMUGGLED)) == [400]


@pytest.mark.parametrize(
    ("target", "status"),
    [(b"http://t/v1/models", 200), (b"/v1/mod%65ls", 200), (b"*", 404), (b"http://t", 200), (b"/%ff%fe", 404)],
)
def test_each_form_of_an_address_is_understood(url: str, target: bytes, status: int) -> None:
    assert statuses(talk(url, get(target, END))) == [status]


def test_a_client_that_waits_for_continue_is_told_to_go_on(url: str) -> None:
    whole = post(END + b"Expect: 100-continue\r\n")
    with connect(url) as client:
        client.sendall(whole[: -len(BODY)])
        assert client.recv(1_000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(BODY)
        assert statuses(read_all(client)) == [200]


def test_an_old_client_gets_the_stream_without_chunks(url: str) -> None:
    body = b'{"n": 300, "format": "zip", "seed": 1}'
    new = httpx.post(f"{url}/v1/datasets", json=json.loads(body))
    old = talk(url, post(b"", body, b"/v1/datasets", b"1.0"))
    head, _, content = old.partition(b"\r\n\r\n")
    assert new.status_code == 200, new.text
    assert new.headers["transfer-encoding"] == "chunked"
    assert b"transfer-encoding" not in head
    assert content == new.content


def test_a_stream_for_an_old_client_ends_with_its_connection(url: str) -> None:
    body = b'{"n": 3, "format": "zip", "seed": 1}'
    stream = post(b"Connection: keep-alive\r\n", body, b"/v1/datasets", b"1.0")
    answers = talk(url, stream + get())
    assert statuses(answers) == [200]
    assert b"connection: close" in answers
    assert answers.endswith(httpx.post(f"{url}/v1/datasets", json=json.loads(body)).content)


def test_an_old_client_may_keep_its_connection(url: str) -> None:
    with connect(url) as client:
        for _ in range(2):
            client.sendall(post(b"Connection: keep-alive\r\n", version=b"1.0"))
            head, _ = read_answer(client)
            assert b"connection: keep-alive" in head
        client.sendall(post(b"", version=b"1.0"))
        assert b"connection: close" in read_all(client)


def test_a_long_body_that_is_refused_early_gets_its_answer(url: str) -> None:
    with connect(url) as client:
        client.sendall(post(b"", b" " * 3_000_000))
        head, _ = read_answer(client)
        assert statuses(head) == [413]


@pytest.mark.parametrize(
    "endless",
    [
        b"GET /v1/models HTTP/1.1\r\n" + b"X: y\r\n" * 50_000,
        b"GET /v1/models HTTP/1.1\r\nX: " + b"y" * 300_000,
        b"GET /" + b"y" * 300_000,
        get(more=b"X: %b\r\n" % (b"y" * 70_000)),
    ],
)
def test_a_head_has_a_bound(url: str, endless: bytes) -> None:
    answer = talk(url, endless)
    assert statuses(answer) == [431]
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["detail"] == "Send at most 65536 bytes of address and headers."


def test_a_head_at_the_bound_is_served(models_dir: Path) -> None:
    with bounded(models_dir, max_head_bytes=2_000) as url:
        head = get(more=END)
        # the lines of the request and of its headers, without the blank one
        filled = get(more=END + b"X: %b\r\n" % (b"y" * (1_900 - len(head))))
        assert statuses(talk(url, filled)) == [200]
        assert statuses(talk(url, get(more=END + b"X: %b\r\n" % (b"y" * 2_000)))) == [431]


@pytest.mark.parametrize(
    "endless",
    [
        b"2;" + b"x" * 2_000_000,
        b"2\r\n{}\r\n0\r\n" + b"X: y\r\n" * 400_000,
        b"2\r\n{}\r\n0\r\nX: " + b"y" * 2_000_000,
    ],
)
def test_what_frames_a_body_has_a_bound(url: str, endless: bytes) -> None:
    answer = b""
    with connect(url) as client:
        client.sendall(b"POST /v1/images HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n" + JSON + b"\r\n")
        try:
            client.sendall(endless)
        finally:
            answer = read_all(client)
    assert statuses(answer) == [431]


@pytest.mark.parametrize("begun", [b"GET /v1/mod", b"GET /v1/models HTTP/1.1\r\nX: y\r\n"])
def test_a_head_that_does_not_end_is_told_so(models_dir: Path, begun: bytes) -> None:
    with bounded(models_dir, max_head_seconds=0.1) as url:
        assert statuses(talk(url, begun)) == [408]


@pytest.mark.parametrize("path", [b"/v1/images", b"/v1/codes"])
def test_a_body_that_does_not_end_is_told_so(models_dir: Path, path: bytes) -> None:
    with bounded(models_dir, max_body_seconds=0.1) as url:
        answer = talk(url, post(b"", BODY, path)[:-5])
        assert statuses(answer) == [408]
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["field"] == "body"


@pytest.mark.parametrize("sent", [b"", get()])
def test_an_idle_connection_is_closed_without_a_word(models_dir: Path, sent: bytes) -> None:
    with bounded(models_dir, max_idle_seconds=0.1) as url:
        assert statuses(talk(url, sent)) == [200] * bool(sent)


def test_a_client_that_does_not_read_its_stream_is_cut_off(models_dir: Path) -> None:
    with bounded(models_dir, max_stalled_seconds=0.1, max_streams=1) as url, connect(url) as client:
        body = b'{"n": 1000000, "format": "webdataset", "seed": 1}'
        client.sendall(post(b"", body, b"/v1/datasets"))
        assert client.recv(1) == b"H"
        with httpx.Client(base_url=url, timeout=60) as other:
            asked = {"n": 1, "format": "webdataset", "seed": 1}
            while other.post("/v1/datasets", json=asked).status_code == 429:  # the only stream is taken
                pass
        with pytest.raises(ConnectionResetError):
            read_all(client)


def test_connections_beyond_the_bound_are_refused(models_dir: Path) -> None:
    with bounded(models_dir, max_connections=3, max_client_connections=9) as url, ExitStack() as stack:
        kept = [stack.enter_context(closing(connect(url))) for _ in range(3)]
        for client in kept:
            client.sendall(get())
            read_answer(client)
        refused = read_all(stack.enter_context(closing(connect(url))))
        assert statuses(refused) == [429]
        assert b"retry-after: 1" in refused
        kept[0].sendall(get(more=END))
        assert statuses(read_all(kept[0])) == [200]
        assert statuses(talk(url, get(more=END))) == [200]


def test_one_address_has_a_bound_of_its_own(models_dir: Path) -> None:
    with bounded(models_dir, max_client_connections=1) as url, connect(url) as client:
        client.sendall(get())
        read_answer(client)
        assert statuses(talk(url)) == [429]


def test_a_header_of_an_answer_cannot_hold_another(url: str) -> None:
    answer = talk(url, get(more=END + b"X-Request-Id: a%0d%0aX: y\r\n"))
    assert statuses(answer) == [200]
    assert b"\r\nX: y" not in answer
