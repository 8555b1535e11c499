"""Cancels the work for a client that has left."""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.http.body import replay

LOOK_AFTER = 0.02
"""Seconds before the first look. Most answers have begun by then, and an unused timer costs less than a task."""

GONE = 499
"""The status, as in nginx, of an answer to a client that has left."""


class CancelOnDisconnect:
    """Cancels a request if its client leaves before the answer begins. Later, sending the answer notices it.

    Expects the whole body in one message, as `BodyLimit` gives it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = (await receive()).get("body", b"")
        watch = _Watch(receive)

        async def begin(message: Message) -> None:
            watch.end()
            await send(message)

        try:
            await self._app(scope, replay(body, receive), begin)
        except asyncio.CancelledError:
            if not watch.cancelled():
                raise
            await Response(status_code=GONE)(scope, receive, send)  # nobody reads it, but the observer counts it
        finally:
            watch.end()


class _Watch:
    """Cancels the current task when its client leaves, until `end` is called."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._work = asyncio.current_task()
        self._left = False
        self._looking: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOOK_AFTER, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def cancelled(self) -> bool:
        """Whether this watch cancelled the task. The task may then go on."""
        if self._left and self._work is not None:
            self._work.uncancel()
        return self._left

    def _begin(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        await self._receive()  # after the body, the only message is a disconnect
        self._left = True
        if self._work is not None:
            self._work.cancel()
