"""Calls for a look at the models folder: at intervals, and on SIGHUP."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable

from service.telemetry.log import log

SOON = 1.0
"""Seconds until the next look, while a file may still be changing."""


class Watch:
    """Calls `look` every `seconds`, if they are not 0, and at once on SIGHUP.

    `look` returns whether to call it again soon. Use the watch as an async context manager.
    """

    def __init__(self, look: Callable[[], Awaitable[bool]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._signalled = asyncio.Event()

    async def __aenter__(self) -> "Watch":
        self._task = asyncio.create_task(self._run())
        if _takes_signals():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._signalled.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        if _takes_signals():
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = self._seconds
        while True:
            await self._wait_for_signal(pause)
            self._signalled.clear()
            pause = min(SOON, self._seconds or SOON) if await self._look_safely() else self._seconds

    async def _look_safely(self) -> bool:
        """An unforeseen error is logged, and does not end the watch."""
        try:
            return await self._look()
        except Exception:
            log.exception("the look at the models folder failed; the service keeps its models")
            return False

    async def _wait_for_signal(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._signalled.wait(), seconds or None)
        except TimeoutError:
            return


def _takes_signals() -> bool:
    """Only the main thread can handle signals, and Windows has no SIGHUP."""
    return threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP")
