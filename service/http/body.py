"""Request bodies: read whole before the application runs, within limits of length and memory."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import BodyTooLarge, QueueFull
from service.http.problems import refuse

DRAINED = 32 * 2**20
"""The most bytes of a refused body that are read, so that its sender reads the answer."""


class BodyLimit:
    """Answers 413 to a longer body, with or without a declared length, and keeps none of it.

    `max_bytes_at` has the limits of some paths, `max_bytes` is the limit of all others.
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
        await refuse(BodyTooLarge("body", f"Send at most {max_bytes} bytes."))(scope, receive, send)


class UploadBudget:
    """Answers 429 while the uploads that are read or waiting may fill the memory that is for them.

    `max_bytes_at` has the limit of one upload by path. An upload without a declared length counts as the longest.
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
            await refuse(QueueFull(1))(scope, receive, send)
            return
        self._held += size
        try:
            await self._app(scope, receive, send)
        finally:
            self._held -= size


def replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body again, then waits for the disconnect."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again


async def _drain(receive: Receive) -> None:
    """Read the rest of a refused body and drop it."""
    drained, more = 0, True
    while more and drained < DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        more = message.get("more_body", False)
