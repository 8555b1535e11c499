"""One client's connection: requests of HTTP/1.1 and 1.0 come in, parsed by llhttp, and each is an exchange of its own.

It stands in the place of uvicorn's own protocol. That one costs as much as a PNG a request, sets no bound to a head,
and takes the body of a request that asks for an upgrade for the next request.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any, cast
from urllib.parse import unquote

import httptools
from uvicorn.server import ServerState

from service.errors import HeadTooLarge, HeadTooSlow, Malformed, RequestError, TooManyConnections
from service.http.asgi import App, Scope
from service.http.connections import Connections
from service.http.exchange import Exchange
from service.http.observer import count
from service.http.problems import refuse
from service.http.wire import CLOSE, head_of
from service.telemetry.observation import Observation

HOSTS = {"1.0": (0, 1), "1.1": (1,)}
"""By the version of HTTP, how many headers `Host` a request may have (RFC 9112, section 3.2)."""

LINGER = 1.0
"""Seconds that an idle connection stays open when the server ends: a request may be on its way."""

DRAIN_SECONDS = 5.0
"""In which the client of a refused request may send the rest of its body. A connection that is closed before may lose
the answer."""

FRAMING = 2**20
"""The most bytes that a body's sizes of chunks and trailers may take."""

READ_LEAST = 2**15
"""Bytes of an answer that a client must read before it counts as stalled."""

RESET = struct.pack("ii", 1, 0)
"""Of SO_LINGER: what is not sent is not sent any more."""

NEVER = float("inf")


class Connection(asyncio.Protocol):
    """uvicorn makes one for each client, by the keyword arguments."""

    def __init__(
        self,
        app: App,
        connections: Connections,
        *,
        config: Any,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.deadline = NEVER
        """When the client is late with what it has to do now, by the time of the loop."""
        self.ending = False
        """Whether the server ends: the next answer is the last."""
        self._app = app
        self._connections = connections
        self._patience = connections.patience
        self._server = server_state
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._paused = False
        self._room: asyncio.Future[None] | None = None
        """Comes when the client has read enough of what was written; None while there is room to write."""
        self._unsent = 0
        self._parser = httptools.HttpRequestParser(self)
        self._unread = 0
        """Bytes that have come of a head, or of what frames a body."""
        self._target = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._arriving: Exchange | None = None
        """The request whose body arrives."""
        self._running: Exchange | None = None
        """The request that is answered."""
        self._waiting: deque[Exchange] = deque()
        """The requests after it."""
        self._last = False
        """Whether what comes now is no request any more."""
        self._fault: RequestError | None = None
        """Of what came last. It is told after the answers to the requests before."""
        self._scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "scheme": "http",
            "root_path": config.root_path,
            "state": app_state,
        }

    # The transport calls these.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        client = transport.get_extra_info("peername") or ("", 0)
        server = transport.get_extra_info("sockname") or ("", 0)
        self._scope.update(client=client[:2], server=server[:2])
        if transport.get_extra_info("ssl_object") is not None:
            self._scope["scheme"] = "https"
        self._server.connections.add(self)  # type: ignore[arg-type] # it lists uvicorn's own
        self._wait()
        if not self._connections.admit(self, client[0]):
            self._refuse(TooManyConnections(1))
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self._server.connections.discard(self)
        self._connections.drop(self)
        self._last = True
        self._waiting.clear()
        for exchange in (self._running, self._arriving):
            if exchange is not None:
                exchange.leave()
        self.resume_writing()

    def data_received(self, data: bytes) -> None:
        if self._last and self._arriving is None:
            return
        if not self._unread and self._arriving is None and self._running is None:
            self.deadline = self._loop.time() + self._patience.head_seconds
        self._unread += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._go_on_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self._break_off(Malformed())
        else:
            self._bound()

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()
        self._unsent = self._transport.get_write_buffer_size()
        self.deadline = self._loop.time() + self._patience.stalled_seconds

    def resume_writing(self) -> None:
        if self._room is not None and not self._room.done():
            self._room.set_result(None)
        self._room = None
        self._wait()

    # The parser calls these.

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        if self._parser.should_upgrade():
            return  # the parser stops here; `_go_on_without_upgrade` reads the head again
        if self._last:
            return
        size, self._unread = self._unread, 0
        target, self._target = self._target, b""
        headers, self._headers = self._headers, []
        self.deadline = NEVER
        if size > self._patience.head_bytes and _size_of(target, headers) > self._patience.head_bytes:
            self._break_off(HeadTooLarge(self._patience.head_bytes))
        elif not _names_one_host(self._parser.get_http_version(), headers):
            self._break_off(Malformed())
        else:
            self._begin(target, headers)

    def on_body(self, part: bytes) -> None:
        self._unread -= len(part)
        if self._arriving is not None:
            self._arriving.take(part)

    def on_message_complete(self) -> None:
        exchange, self._arriving = self._arriving, None
        if exchange is None:
            return
        self._unread, self._headers = 0, []  # the headers behind a body are of no use
        exchange.finish()
        self._last = not exchange.keep_alive
        if exchange.answered:  # it was refused before its body had come
            self._go_on()

    # uvicorn calls this.

    def shutdown(self) -> None:
        """Answer what has come, and what comes in a moment, and end."""
        self.ending = True
        self._loop.call_later(LINGER, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self._running is None:
            self._transport.close()

    # `Connections` calls this.

    def expire(self, now: float) -> None:
        """The client is late."""
        if self._room is not None:
            self._expect_reading(now)
        elif self._unread and not self._last:
            self._refuse(HeadTooSlow(self._patience.head_seconds))
        else:
            self._transport.close()

    def _expect_reading(self, now: float) -> None:
        """A client that reads a little has more time."""
        unsent = self._transport.get_write_buffer_size()
        if unsent > self._unsent - READ_LEAST:
            self._cut_off()
        self._unsent, self.deadline = unsent, now + self._patience.stalled_seconds

    # The exchanges call these.

    @property
    def default_headers(self) -> Sequence[tuple[bytes, bytes]]:
        """The date."""
        return self._server.default_headers

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    async def drain(self) -> None:
        """Wait until there is room to write."""
        if self._room is not None:
            await self._room

    def pause_reading(self) -> None:
        if not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        if self._paused:
            self._paused = False
            self._transport.resume_reading()

    def end(self, exchange: Exchange) -> None:
        """The exchange has sent its answer, or has none."""
        self._running = None
        self._server.tasks.discard(exchange.task)
        if not exchange.keep_alive:
            self._last = True
            self._waiting.clear()
        if not exchange.answered and self._fault is None:
            self._cut_off()
        elif exchange is self._arriving:
            self._linger()
        else:
            self._go_on()

    # Its own steps.

    def _begin(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        exchange = self._arriving = Exchange(self, self._scope_of(target, headers), self._parser.should_keep_alive())
        if self._running is None:
            self._start(exchange)
        else:
            self._waiting.append(exchange)
            self.pause_reading()

    def _scope_of(self, target: bytes, headers: list[tuple[bytes, bytes]]) -> Scope:
        if not target.startswith(b"/"):
            target = _path_of(target)
        path, _, query = target.partition(b"?")
        return {
            **self._scope,
            "method": self._parser.get_method().decode("ascii"),
            "http_version": self._parser.get_http_version(),
            "path": unquote(path.decode("latin-1")) if b"%" in path else path.decode("latin-1"),
            "raw_path": path,
            "query_string": query,
            "headers": headers,
        }

    def _start(self, exchange: Exchange) -> None:
        self._running = exchange
        exchange.task = self._loop.create_task(exchange.run(self._app))
        self._server.tasks.add(exchange.task)

    def _go_on(self) -> None:
        """Answer the next request, or wait for it."""
        if self._waiting:
            self._start(self._waiting.popleft())
        elif self._fault is not None:
            self._refuse(self._fault)
        elif self._last:
            self._transport.close()
        else:
            self.resume_reading()
            self._wait()

    def _wait(self) -> None:
        """Give the client its time to send a request, if it is its turn."""
        if self._running is not None:
            self.deadline = NEVER
        elif self._room is None:
            seconds = self._patience.head_seconds if self._unread else self._patience.idle_seconds
            self.deadline = self._loop.time() + seconds

    def _go_on_without_upgrade(self, rest: bytes) -> None:
        """Read a request without its `Upgrade`, as RFC 9110, section 7.8, allows; the rest is its body."""
        method, target, headers = self._parser.get_method(), self._target, self._headers
        if method == b"CONNECT":
            self._break_off(Malformed())
            return
        version = self._parser.get_http_version().encode("ascii")
        lines = [b"%b: %b\r\n" % header for header in headers if header[0] != b"upgrade"]
        self._parser = httptools.HttpRequestParser(self)
        self._target, self._headers, self._unread = b"", [], 0
        self.data_received(b"%b %b HTTP/%b\r\n%b\r\n%b" % (method, target, version, b"".join(lines), rest))

    def _bound(self) -> None:
        """Refuse a head, or what frames a body, that has no end."""
        if self._unread > (self._patience.head_bytes if self._arriving is None else FRAMING):
            self._break_off(HeadTooLarge(self._patience.head_bytes))

    def _break_off(self, fault: RequestError) -> None:
        """What comes is no request: answer those before it, tell of the fault, and end."""
        if self._last and self._arriving is None:
            return  # it follows a request that was said to be the last
        self._last = True
        exchange, self._arriving = self._arriving, None
        if exchange is None or not exchange.answered:
            self._fault = fault
        if exchange is not None and exchange is not self._running:
            self._waiting.pop()
        elif exchange is not None:
            exchange.leave()
        if self._running is None:
            self._go_on()

    def _refuse(self, fault: RequestError) -> None:
        """Answer what is no request."""
        answer = refuse(fault)
        count(Observation(), answer.status)
        headers = [*self.default_headers, *answer.headers, (b"content-type", answer.media_type or b""), CLOSE]
        head = head_of(answer.status, [*headers, (b"content-length", b"%d" % len(answer.content))])
        self._transport.write(head + answer.content)
        self._linger()

    def _cut_off(self) -> None:
        """Reset the connection, so that the client does not take what it has for the whole answer."""
        if self._transport.is_closing():
            return
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self._transport.abort()

    def _linger(self) -> None:
        """The last answer is written. What the client still sends is dropped for a while."""
        self._last = True
        if self._transport.can_write_eof():
            self._transport.write_eof()
        self.resume_reading()
        self.deadline = self._loop.time() + DRAIN_SECONDS


def _path_of(target: bytes) -> bytes:
    """The path and query of a target in absolute form (RFC 9112, section 3.2.2); another form has none."""
    try:
        url = httptools.parse_url(target)
    except httptools.HttpParserInvalidURLError:
        return target
    return b"%b?%b" % (url.path or b"/", url.query) if url.query else url.path or b"/"


def _names_one_host(version: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the version is known, and has as many headers `Host` as it may."""
    return [name for name, _ in headers].count(b"host") in HOSTS.get(version, ())


def _size_of(target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> int:
    return len(target) + sum(len(name) + len(value) + 4 for name, value in headers)
