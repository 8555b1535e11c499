"""Requests by raw bytes, each wrong in some ways: 10,000 of them, without an error of the server's own."""

import json
import random
import re
import socket
from collections import Counter
from contextlib import suppress
from pathlib import Path

import httpx

from service.settings import ROOT
from tests.end_to_end.conftest import serving, workers

REQUESTS = 10_000
GROWTH = 60 * 2**20
"""Bytes of memory that the worker may grow by: its caches and pools fill."""

MARK = b"echo-of-a-secret"
LAST = b"Connection: close"

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")

PATHS = [b"/v1/images", b"/v1/image", b"/v1/traversals", b"/v1/interpolations", b"/v1/codes", b"/v1/verify"]
PATHS += [b"/v2", b"/v2/models/mnist-infogan/infer", b"/v2/models/mnist-infogan/versions/x/ready"]
PATHS += [b"/v1/datasets", b"/v1/models", b"/v1/models/none", b"/metrics", b"/docs", b"/", b"/static_content/x", b"*"]
METHODS = [b"GET", b"POST", b"HEAD", b"PUT", b"OPTIONS", b"DELETE", b"TRACE", b"CONNECT", b"PATCH", b"BREW"]
VALUES = ["NaN", "Infinity", "-1", "1e999", "1e-999", "null", "true", "[]", "{}", '""', '"x"', "[[[[]]]]", "0.5"]
VALUES += ["9" * 400, "-0", "1" + "0" * 19, '"\\ud800"', '"\\u0000"', f'"{MARK.decode()}"', "[" * 5_000, "{" * 500]
FIELDS = ["n", "seed", "class", "style", "noise", "items", "index", "scale", "format", "model", "truncation", "frames"]
FIELDS += ["inputs", "outputs", "parameters", "id", "data", "shape", "datatype", "name"]
FIELDS += ["rows", "columns", "from", "to", "fps", "loop", "shards", "shard", "balance", MARK.decode()]
HEADERS = [
    b"Content-Type: application/json",
    b"Content-Type: image/png",
    b"Content-Encoding: gzip",
    b"Accept: image/gif;q=x, */*;q=2",
    b"If-None-Match: *",
    b"X-Request-Id: " + MARK,
    b"Faussaire-Canary: " + MARK,
    b"Expect: 100-continue",
    b"Connection: Upgrade\r\nUpgrade: h2c",
    b"Range: bytes=0-9999999999",
    b"Inference-Header-Content-Length: 3",
    b"traceparent: 00-zz-zz-01",
    b"Cookie: " + b"a=b; " * 500,
    b"Accept: \xff\xfe",
    b": nothing",
    b"No-Colon",
]


def body_of(chance: random.Random) -> bytes:
    kind = chance.randrange(6)
    if kind == 0:
        return chance.randbytes(chance.randrange(2_000))
    if kind == 1:
        return b"\x89PNG\r\n\x1a\n" + chance.randbytes(chance.randrange(300))
    members = [f'"{chance.choice(FIELDS)}": {chance.choice(VALUES)}' for _ in range(chance.randrange(4))]
    body = ("{" + ", ".join(members) + "}").encode()
    if kind == 2:
        return body[: chance.randrange(len(body) + 1)]
    if kind == 3:
        place = chance.randrange(len(body))
        return body[:place] + chance.randbytes(1) + body[place + 1 :]
    return body


def request_of(chance: random.Random) -> bytes:
    body = body_of(chance)
    query = f"?{chance.choice(FIELDS)}={chance.choice(VALUES)}".encode() if chance.random() < 0.3 else b""
    lines = [b"%b %b%b HTTP/1.1" % (chance.choice(METHODS), chance.choice(PATHS), query[:300]), b"Host: t"]
    lines += chance.sample(HEADERS, chance.randrange(4))
    framing = chance.randrange(5)
    if framing == 0:
        lines.append(b"Transfer-Encoding: chunked")
        size = b"%x" % (len(body) + chance.choice([0, 0, 0, 1, 99]))
        body = size + b"\r\n" + body + b"\r\n0\r\n\r\n"
    elif framing == 1:
        lines.append(b"Content-Length: %d" % chance.choice([0, len(body) + 1, len(body) + 9, max(0, len(body) - 1)]))
    else:
        lines += [b"Content-Length: %d" % len(body), LAST]
    whole = b"\r\n".join([*lines, b"", b""]) + body
    if chance.random() < 0.1:
        return whole.replace(LAST, b"X: y")[: chance.randrange(len(whole) - 9)]
    if chance.random() < 0.1:
        return whole + whole
    return whole


def ask(address: tuple[str, int], sent: bytes) -> bytes:
    """All that the server says to these bytes. A client whose request is not whole then sends no more."""
    parts: list[bytes] = []
    with socket.create_connection(address, timeout=60) as client, suppress(ConnectionError):
        client.sendall(sent)
        if LAST not in sent:
            client.shutdown(socket.SHUT_WR)
        while (part := client.recv(65_536)) and len(parts) < 100:  # a data set would go on
            parts.append(part)
    return b"".join(parts)


def check(sent: bytes, answer: bytes) -> list[int]:
    """The statuses. A refusal is a problem in JSON, and never says what was sent."""
    statuses = [int(status) for status in STATUS.findall(answer)]
    assert not [status for status in statuses if status >= 500], (sent, answer[:2_000])
    for head, body in re.findall(rb"HTTP/1\.1 4\d\d [^\r]*\r\n(.*?)\r\n\r\n(\{[^}]*\})?", answer, re.DOTALL):
        told = json.loads(body) if body else {}
        if b"application/problem+json" in head:
            assert not told or {"type", "title", "status", "detail"} <= told.keys()
        else:  # below /v2, errors have the form of its protocol
            assert b"/v2" in sent, (sent, answer[:2_000])
            assert not told or told.keys() == {"error"}
        if body:
            assert MARK not in body, (sent, body)
    return statuses


def test_no_bytes_make_the_server_fail(tmp_path: Path) -> None:
    chance, seen = random.Random(1), Counter[int]()
    with serving(ROOT / "models", tmp_path) as client:
        (worker,) = workers(ROOT / "models")
        address = (client.base_url.host, client.base_url.port or 0)
        for _ in range(500):
            ask(address, request_of(chance))
        before = worker.memory_info().rss
        for _ in range(REQUESTS):
            sent = request_of(chance)
            seen.update(check(sent, ask(address, sent)))
        assert worker.memory_info().rss - before < GROWTH
        assert workers(ROOT / "models") == [worker]
        assert client.get("/readyz").status_code == httpx.codes.OK
    said = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in said
    assert MARK.decode() not in said
    assert len(said.splitlines()) < 10
    assert {200, 400, 404, 405, 415, 422} <= seen.keys(), seen
    print(dict(seen))
