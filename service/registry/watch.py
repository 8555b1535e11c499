"""When the models folder is looked at: every so often, and when the process is told to."""

import asyncio
import logging
import signal
import threading
from collections.abc import Awaitable, Callable

log = logging.getLogger("bentoml.faussaire")

SOON = 1.0
"""Seconds until the next look, where something may still be changing."""


class Watch:
    """Calls `look` every `seconds`, or never of itself where that is 0, and at once on SIGHUP.

    `look` says whether it should be called again soon. Use it as an async context manager.
    """

    def __init__(self, look: Callable[[], Awaitable[bool]], seconds: float) -> None:
        self._look = look
        self._seconds = seconds
        self._told = asyncio.Event()

    async def __aenter__(self) -> "Watch":
        self._task = asyncio.create_task(self._run())
        if _takes_signals():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._told.set)
        return self

    async def __aexit__(self, *_: object) -> None:
        if _takes_signals():
            asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        pause = self._seconds
        while True:
            await self._told_within(pause)
            self._told.clear()
            pause = min(SOON, self._seconds or SOON) if await self._looked() else self._seconds

    async def _looked(self) -> bool:
        """A look that fails as nobody foresaw is told of, and is not the last."""
        try:
            return await self._look()
        except Exception:
            log.exception("the models folder could not be looked at; what is served goes on")
            return False

    async def _told_within(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._told.wait(), seconds or None)
        except TimeoutError:
            return


def _takes_signals() -> bool:
    """Signals come to a process's first thread, and Windows has no SIGHUP."""
    return threading.current_thread() is threading.main_thread() and hasattr(signal, "SIGHUP")
