"""Whether the client still waits for its answer; the work for one that has left is cancelled."""

import asyncio

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOKED_AFTER = 0.02
"""Seconds before anyone looks: most answers have begun by then, and a timer that never fires costs less than a task."""

GONE = 499
"""The status, after nginx's custom, of an answer that nobody waits for."""


class Attended:
    """Cancels a request whose client leaves before its answer begins; what comes after, the answer itself sees.

    Expects the whole body in one message, as `BodyLimit` gives it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = (await receive()).get("body", b"")
        attendance = _Attendance(receive)

        async def begin(message: Message) -> None:
            attendance.end()
            await send(message)

        try:
            await self._app(scope, replay(body, receive), begin)
        except asyncio.CancelledError:
            if not attendance.cancelled():
                raise
            await Response(status_code=GONE)(scope, receive, send)  # to nobody: but whoever counts or waits sees an end
        finally:
            attendance.end()


class _Attendance:
    """Cancels the current task when its client leaves, until it ends."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._work = asyncio.current_task()
        self._left = False
        self._looking: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(LOOKED_AFTER, self._begin)

    def end(self) -> None:
        self._timer.cancel()
        if self._looking is not None:
            self._looking.cancel()

    def cancelled(self) -> bool:
        """Whether it was this that cancelled the task, which then may go on."""
        if self._left and self._work is not None:
            self._work.uncancel()
        return self._left

    def _begin(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        await self._receive()  # nothing but a disconnect comes after the body
        self._left = True
        if self._work is not None:
            self._work.cancel()


def replay(body: bytes, receive: Receive) -> Receive:
    """The body that was read, then whatever comes after it: a disconnect."""
    messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return messages.pop() if messages else await receive()

    return again
