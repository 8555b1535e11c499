"""One request and its answer on a connection, as ASGI has them."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from service.http.asgi import App, Message, Scope
from service.http.wire import BODILESS, CHUNKED, CLOSE, KEEP, LAST_CHUNK, chunk_of, head_of
from service.telemetry.log import log

READ_AHEAD = 65_536
"""Bytes of a body that are taken from the socket before the application asks for them."""

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Line(Protocol):
    """What an exchange needs of its connection."""

    ending: bool

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]: ...
    def write(self, data: bytes) -> None: ...
    async def drain(self) -> None: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...
    def end(self, exchange: "Exchange") -> None: ...


class Exchange:
    """`receive` and `send` are ASGI's; the connection calls `take` and `finish` for the body, and `leave`."""

    __slots__ = (
        "_asked",
        "_bodiless",
        "_chunked",
        "_gone",
        "_head",
        "_line",
        "_parts",
        "_size",
        "_told",
        "_waiter",
        "answered",
        "complete",
        "keep_alive",
        "scope",
        "task",
    )

    def __init__(self, line: Line, scope: Scope, keep_alive: bool) -> None:
        self.scope = scope
        self.keep_alive = keep_alive
        """Whether the connection takes another request after this one."""
        self.complete = False
        """Whether the whole body has arrived."""
        self.answered = False
        self.task: asyncio.Task[None] | None = None
        self._line = line
        self._parts: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._told = False
        """Whether the application has been told of the end of the body."""
        self._asked = False
        """Whether the application has asked for the body."""
        self._gone = False
        self._head: bytes | None = None
        self._chunked = False
        self._bodiless = False

    def take(self, part: bytes) -> None:
        """Bytes of the body. Nobody reads those that come after the answer."""
        if self.answered:
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > READ_AHEAD:
            self._line.pause_reading()
        self._wake()

    def finish(self) -> None:
        """The body is complete."""
        self.complete = True
        self._wake()

    def leave(self) -> None:
        """The client is gone."""
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def run(self, app: App) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except Exception:
            log.exception("%r failed", self.scope["path"])  # a client may have put a line break there
        finally:
            self._line.end(self)

    async def receive(self) -> Message:
        if not self.complete and not self._asked and _waits_for_continue(self.scope["headers"]):
            self._line.write(CONTINUE)
        self._asked = True
        while not (self._parts or self._gone or self.answered or (self.complete and not self._told)):
            self._line.resume_reading()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._gone or self.answered:
            return {"type": "http.disconnect"}
        body = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts, self._size, self._told = [], 0, self.complete
        return {"type": "http.request", "body": body, "more_body": not self.complete}

    async def send(self, message: Message) -> None:
        if self._gone:
            return
        if message["type"] == "http.response.start":
            self._head = self._begin(message["status"], message["headers"])
            return
        body, more = message.get("body", b""), message.get("more_body", False)
        if self._chunked:
            body = chunk_of(body) if more else chunk_of(body) + LAST_CHUNK
        elif self._bodiless:
            body = b""
        if self._head is not None:
            body, self._head = self._head + body, None
        if body:
            self._line.write(body)
        if more:
            await self._line.drain()
        else:
            self.answered = True
            self._wake()

    def _begin(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The answer's head. It says how the body ends, and whether the connection ends with it."""
        version, framing = self.scope["http_version"], []
        self._bodiless = self.scope["method"] == "HEAD" or status in BODILESS
        if status not in BODILESS and not any(name == b"content-length" for name, _ in headers):
            if version == "1.1":
                framing = [CHUNKED]
                self._chunked = not self._bodiless
            else:
                self.keep_alive = False  # the end of the connection is the end of the body
        if not self.complete or self._line.ending:
            self.keep_alive = False
        if not self.keep_alive:
            framing.append(CLOSE)
        elif version == "1.0":
            framing.append(KEEP)
        return head_of(status, (*self._line.default_headers, *headers, *framing))


def _waits_for_continue(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
