"""Work that would block the event loop: a few threads do it, and few requests may wait for it."""

import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from service.errors import QueueFull
from service.threads import Threads

Result = TypeVar("Result")

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""Of a container: the processor time that it may use in a period, in microseconds, or `max`, and the period."""


def usable_processors(quota: Path = QUOTA) -> int:
    """How many processors this process may use, whatever the machine has."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, period = quota.read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return allowed
    return allowed if most == "max" else max(1, min(allowed, math.ceil(int(most) / int(period))))


class Worker:
    """Use it as a context manager."""

    def __init__(self, name: str, max_waiting: int, threads: int = 1) -> None:
        self._max_waiting = max_waiting
        self._present = 0
        self._seconds = 0.0
        self._threads = Threads(name, threads)

    def __enter__(self) -> "Worker":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.close()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Call `work` in a thread and return its result. Raises QueueFull, or the error of `work`."""
        if self._present > self._max_waiting:
            raise QueueFull(max(1, math.ceil(self._present * self._seconds)))
        self._present += 1
        try:
            return await self._threads.run(lambda: self._time(work))
        finally:
            self._present -= 1

    def _time(self, work: Callable[[], Result]) -> Result:
        started = time.perf_counter()
        try:
            return work()
        finally:
            self._seconds = time.perf_counter() - started
