"""The ASGI application: each request passes here once, from its head to the last byte of its answer.

Its body is read, its operation found, and it is validated, answered and counted, each by a module of its own. There
are no layers in between: a layer of a web framework costs as much as a PNG.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from service.errors import (
    BodyTooSlow,
    MethodNotAllowed,
    NotFound,
    RequestError,
    TimedOut,
    Unexpected,
    UnsupportedCoding,
)
from service.http.asgi import App, Message, Receive, Scope, Send
from service.http.attention import Attended, Attention, Fate
from service.http.authorization import Authorization
from service.http.body import Body, Gone, UploadBudget, drain
from service.http.cors import Cors
from service.http.gate import Gate
from service.http.observer import GONE, STOPPED, Observer, count
from service.http.operation import Operation
from service.http.problems import refuse
from service.http.request import Answer, Headers, Request, Stream
from service.http.wire import BODILESS
from service.telemetry.log import log

READING = {"GET", "HEAD"}

Methods = Mapping[str, Operation]
"""The operations of one path."""


@dataclass(frozen=True)
class Limits:
    """What all requests of a worker may take together."""

    body_bytes: int
    upload_bytes: int
    uploads_held: int
    """Bytes of uploads that are read or waiting."""
    working: int
    """Requests in work."""
    waiting: int
    """Requests in the line for work."""
    seconds: float
    """Until an answer begins."""
    body_seconds: float
    """Until a body has come."""


class Application:
    """Answers by the `operations`. `open_context` gives what all requests share, as long as the application lives.

    `inner` answers the paths that `is_inner` knows, and ASGI's lifespan.
    """

    def __init__(
        self,
        operations: Sequence[Operation],
        limits: Limits,
        open_context: Callable[[], AbstractAsyncContextManager[Any]],
        observer: Observer,
        inner: App,
        is_inner: Callable[[str], bool],
        cors: Cors | None = None,
        authorization: Authorization | None = None,
    ) -> None:
        self.operations = operations
        self.context: Any = None
        self._limits = limits
        self._open_context = open_context
        self._observer = observer
        self._inner = inner
        self._is_inner = is_inner
        self._cors = cors
        self._authorization = authorization
        self._paths = _by_path(operations)
        self._named = [(path.split("/"), methods) for path, methods in self._paths.items() if "{" in path]
        self._attention = Attention(limits.seconds, limits.body_seconds)
        self._gate = Gate(limits.working, limits.waiting)
        self._budget = UploadBudget(limits.uploads_held)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not (scope["method"] in READING and self._is_inner(scope["path"])):
            await self._serve(Request(scope, self.context), receive, send)
        elif scope["type"] == "lifespan":
            await self._live(scope, receive, send)
        else:
            await self._inner(scope, receive, send)

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The context opens before the server is told of the start, and closes before it is told of the end."""
        async with AsyncExitStack() as stack:

            async def tell(message: Message) -> None:
                if message["type"].startswith("lifespan.shutdown"):
                    await stack.aclose()
                await send(message)

            await stack.enter_async_context(self.open())
            await self._inner(scope, receive, tell)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer requests, for as long as this context lasts."""
        async with self._open_context() as self.context:
            yield

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        self._observer.begin(request)
        attended = self._attention.begin(request.observation.started)
        try:
            await self._send(request, await self._answer(request, receive, attended), attended, send)
        except Gone:
            count(request.observation, GONE)
        except asyncio.CancelledError:
            if attended.fate is None:
                count(request.observation, STOPPED)
                raise
            await self._give_up(request, attended, send)
        finally:
            self._attention.end(attended)
            self._observer.end(request)

    async def _give_up(self, request: Request, attended: Attended, send: Send) -> None:
        """End a request that was cancelled because its client left, or because it took too long."""
        attended.task.uncancel()
        if attended.fate is Fate.LATE and not request.observation.status:
            late = BodyTooSlow(self._limits.body_seconds) if attended.receive is None else TimedOut()
            await self._send(request, refuse(late, request.path), attended, send)
        count(request.observation, GONE)

    async def _answer(self, request: Request, receive: Receive, attended: Attended) -> Answer | Stream:
        """The answer, or the problem that says why there is none. Raises Gone."""
        if self._cors is not None and (preflight := self._cors.preflight(request)) is not None:
            return preflight
        try:
            operation = self._find(request)
        except RequestError as error:
            await drain(receive)
            return refuse(error, request.path)
        body = self._body_of(operation, receive)
        try:
            request.body = await body.read()
            attended.receive = receive
            if request.body:
                _check_coding(request)
            request.observation.route = operation.path
            known = operation.recall(request) if operation.recall is not None else None
            if known is not None:
                return known
            if not operation.draws:
                return await operation.handle(request, operation.asked(request))
            if not self._gate.enter():
                await self._gate.wait()
            try:
                return await operation.handle(request, operation.asked(request))
            finally:
                self._gate.leave()
        except RequestError as error:
            return refuse(error, request.path)
        except Gone:
            raise
        except Exception:
            log.exception("%s failed", request.observation.route)
            return refuse(Unexpected(), request.path)
        finally:
            body.release()

    def _body_of(self, operation: Operation, receive: Receive) -> Body:
        if operation.media_types:
            return Body(receive, self._limits.upload_bytes, self._budget)
        return Body(receive, self._limits.body_bytes)

    def _find(self, request: Request) -> Operation:
        """Raises NotFound, MethodNotAllowed and the errors of a key."""
        if self._authorization is not None:
            self._authorization.admit(request)
        method = request.scope["method"]
        methods = self._paths.get(request.path) or self._match(request.path.split("/"))
        if methods is None:
            raise NotFound
        operation = methods.get("GET" if method == "HEAD" else method)
        if operation is None:
            raise MethodNotAllowed([*methods, *(["HEAD"] if "GET" in methods else [])])
        return operation

    def _match(self, parts: Sequence[str]) -> Methods | None:
        """The operations of a path with braces."""
        for named, methods in self._named:
            if len(named) == len(parts) and all(a == b or (b and "{" in a) for a, b in zip(named, parts, strict=True)):
                return methods
        return None

    async def _send(self, request: Request, answer: Answer | Stream, attended: Attended, send: Send) -> None:
        count(request.observation, answer.status)
        headers: Headers = [*answer.headers, (b"x-request-id", request.observation.request_id.encode("ascii"))]
        if answer.media_type:
            headers.append((b"content-type", answer.media_type))
        if self._cors is not None:
            headers += self._cors.headers(request)
        if self._authorization is not None:
            headers += self._authorization.headers(request)
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        if isinstance(answer, Stream):
            self._attention.go_on(attended)
            if answer.length is not None:
                headers.append((b"content-length", b"%d" % answer.length))
            await send(start)
            async with aclosing(answer.parts):
                async for part in answer.parts:
                    await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
            return
        self._attention.end(attended)
        if answer.status not in BODILESS:
            headers.append((b"content-length", b"%d" % len(answer.content)))
        await send(start)
        await send({"type": "http.response.body", "body": b"" if request.scope["method"] == "HEAD" else answer.content})


def _check_coding(request: Request) -> None:
    """Raises UnsupportedCoding."""
    coding = request.header(b"content-encoding")
    if coding and coding.strip().lower() != "identity":
        raise UnsupportedCoding


def _by_path(operations: Sequence[Operation]) -> Mapping[str, Methods]:
    found: dict[str, dict[str, Operation]] = {}
    for operation in operations:
        found.setdefault(operation.path, {})[operation.method] = operation
    return found


async def alone(_: Scope, receive: Receive, send: Send) -> None:
    """The lifespan of an application that has no other inside."""
    while (await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})
