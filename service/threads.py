"""Threads that work for an event loop.

`asyncio` hands work to an executor over two futures and three locks; here it is one queue and one call back, for a
third of the time.
"""

import asyncio
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, TypeVar

Result = TypeVar("Result")

Task = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Any]", Callable[[], Any]]


class Threads:
    """Run work in the order in which it comes. The threads end with `close`, or when the last reference is dropped."""

    def __init__(self, name: str, count: int = 1) -> None:
        self._queue: SimpleQueue[Task | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=_work, args=(self._queue,), name=name, daemon=True) for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()
        self._end = weakref.finalize(self, _end, self._queue, count)

    def run(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Call `work` in a thread, for its result or its error. If the future is cancelled first, nothing is done."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._queue.put((loop, future, work))
        return future

    def close(self) -> None:
        """Wait for the work that has come."""
        self._end()
        for thread in self._threads:
            thread.join()


def _work(queue: "SimpleQueue[Task | None]") -> None:
    while task := queue.get():
        _do(*task)
        del task  # nothing is kept until the next work comes


def _do(loop: asyncio.AbstractEventLoop, future: "asyncio.Future[Any]", work: Callable[[], Any]) -> None:
    if future.cancelled():
        return
    try:
        result, error = work(), None
    except BaseException as raised:  # noqa: BLE001 - it is the error of whoever waits for the result
        result, error = None, raised
    with suppress(RuntimeError):  # the loop has ended, and nobody waits
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _end(queue: "SimpleQueue[Task | None]", count: int) -> None:
    for _ in range(count):
        queue.put(None)
