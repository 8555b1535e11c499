"""An answer's head as HTTP/1.1 writes it (RFC 9112)."""

from collections.abc import Sequence
from functools import lru_cache
from http import HTTPStatus

Headers = Sequence[tuple[bytes, bytes]]

BODILESS = {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}
"""Statuses of answers that never have a body, nor a header about one."""

CLOSE, KEEP, CHUNKED = (b"connection", b"close"), (b"connection", b"keep-alive"), (b"transfer-encoding", b"chunked")

NOSNIFF = b"x-content-type-options: nosniff\r\n"
"""In every answer: a browser takes the media type as it is told, and never guesses from the bytes of a client."""


def head_of(status: int, headers: Headers) -> bytes:
    """Raises ValueError if a header has a line break: what follows it would be read as another header."""
    lines = [b"%b: %b\r\n" % header for header in headers]
    head = b"%b%b\r\n" % (_first_lines(status), b"".join(lines))
    if head.count(b"\n") != len(lines) + 3 or head.count(b"\r") != len(lines) + 3:
        raise ValueError("a header of the answer has a line break")
    return head


@lru_cache
def _first_lines(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return f"HTTP/1.1 {status} {phrase}\r\n".encode("ascii") + NOSNIFF


def chunk_of(part: bytes) -> bytes:
    """A part of a body whose length is not known; an empty one would end the body, and is left out."""
    return b"%x\r\n%b\r\n" % (len(part), part) if part else b""


LAST_CHUNK = b"0\r\n\r\n"
