"""What every request passes on its way in: the body's limit, and what is counted and told of it."""

import asyncio
import re
import time
import uuid
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import BodyTooLarge, QueueFull
from service.http.disconnect import GONE, replay
from service.http.problems import refused, unexpected
from service.telemetry import metrics, tracing
from service.telemetry.observation import OTHER_ROUTE, Observation
from service.telemetry.request_log import RequestLog

DRAINED = 32 * 2**20
"""Bytes of a refused body that are still read, so that its sender gets to hear why."""

TIMED_OUT = 504
"""What BentoML answers, outside of all this, to a request that it cancels."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class BodyLimit:
    """Answers 413 to a longer body, whether it declares its length or not; none of it is kept.

    `max_bytes` is for every path that `max_bytes_at` does not name.
    """

    def __init__(self, app: ASGIApp, max_bytes: int, max_bytes_at: Mapping[str, int]) -> None:
        self._app = app
        self._max_bytes = max_bytes
        self._max_bytes_at = max_bytes_at

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        max_bytes = self._max_bytes_at.get(scope["path"], self._max_bytes)
        body = bytearray()
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > max_bytes:
                await self._refuse(scope, receive, send, max_bytes, more=more)
                return
        await self._app(scope, replay(bytes(body), receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, max_bytes: int, *, more: bool) -> None:
        if more:
            await _drain(receive)
        await refused(BodyTooLarge("body", f"Send at most {max_bytes} bytes."))(scope, receive, send)


class UploadBudget:
    """Answers 429 while the files that are on their way in, or wait, may take all the memory that is for them.

    `max_bytes_at` has the limit of one body by path; what declares no length counts as the longest.
    """

    def __init__(self, app: ASGIApp, max_bytes_at: Mapping[str, int], max_held: int) -> None:
        self._app = app
        self._max_bytes_at = max_bytes_at
        self._max_held = max_held
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        longest = self._max_bytes_at.get(scope["path"]) if scope["type"] == "http" else None
        if longest is None:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        size = min(int(declared), longest) if declared.isdecimal() else longest
        if self._held + size > self._max_held:
            await _drain(receive)
            await refused(QueueFull(1))(scope, receive, send)
            return
        self._held += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._held -= size


class Observed:
    """Counts and times each request once, by its route and model, and gives it an id; logs and traces it, if asked to.

    Every answer passes here, that to an error which nobody expected too: what a client sees is what is counted.
    """

    def __init__(self, app: ASGIApp, log: bool) -> None:
        self._app = app
        self._log = RequestLog() if log else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request = Observation(_request_id(headers.get("x-request-id")))
        request.put_in(scope)

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request.request_id
                _count(request, scope, message["status"])
            await send(message)

        metrics.IN_FLIGHT.inc()
        try:
            await self._app(scope, receive, observe)
        except asyncio.CancelledError:
            _count(request, scope, TIMED_OUT)
            raise
        except Exception:
            if not request.status:
                await unexpected()(scope, receive, observe)
            raise
        finally:
            metrics.IN_FLIGHT.dec()
            _count(request, scope, GONE)  # its client left before its body had come
            self._tell(request, scope, headers)

    def _tell(self, request: Observation, scope: Scope, headers: Headers) -> None:
        tracer = scope["app"].state.tracer
        if tracer is not None:
            trace_id: str | None = tracing.recorded(tracer, request, scope["method"], headers)
        elif self._log is not None:
            trace_id = tracing.trace_id_of(headers.get("traceparent"))
        if self._log is not None:
            self._log.write(request, trace_id)


def _count(request: Observation, scope: Scope, status: int) -> None:
    """Once: when the answer begins, or when it is known that none will."""
    if request.status:
        return
    request.status = status
    request.route = getattr(scope.get("route"), "path", "") or OTHER_ROUTE
    metrics.REQUESTS.labels(request.route, outcome(status), request.model).inc()
    if request.role is not None:
        metrics.VERSION_REQUESTS.labels(request.model, request.role, outcome(status)).inc()
    metrics.REQUEST_SECONDS.labels(request.route).observe(time.perf_counter() - request.started)


def outcome(status: int) -> str:
    if status < 400:
        return "ok"
    if status == 429:
        return "refused"
    if status == GONE:
        return "gone"
    return "invalid" if status < 500 else "error"


def _request_id(given: str | None) -> str:
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


async def _drain(receive: Receive) -> None:
    """Read the rest of a body that is refused, and keep none of it."""
    drained, more = 0, True
    while more and drained < DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        more = message.get("more_body", False)
