"""Looks after requests whose answer has not begun: cancels those whose client has left, or that take too long.

One timer serves all requests, so that a request costs an entry in a dictionary and leaves nothing behind.
"""

import asyncio
import time
from enum import Enum, auto

from service.http.asgi import Receive

LOOK_EVERY = 0.05
"""Seconds. Most answers have begun before the first look."""


class Fate(Enum):
    """Why a request was cancelled."""

    LEFT = auto()
    """Its client has left."""
    LATE = auto()
    """It took too long."""


class Attended:
    """A request under attention. `fate` says why it was cancelled, if it was."""

    __slots__ = ("fate", "looking", "receive", "since", "task")

    def __init__(self, task: "asyncio.Task[object]", since: float) -> None:
        self.task = task
        self.receive: Receive | None = None
        """Tells of the client, once the body is read."""
        self.since = since
        self.looking: asyncio.Task[None] | None = None
        self.fate: Fate | None = None

    def cancel(self, fate: Fate) -> None:
        if self.fate is None:
            self.fate = fate
            self.task.cancel()

    def look(self) -> None:
        """Wait for the client to leave, if nobody does yet."""
        if self.looking is None and self.receive is not None:
            self.looking = asyncio.create_task(self._wait(self.receive))

    async def _wait(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.cancel(Fate.LEFT)


class Attention:
    """All requests under attention, the oldest first.

    An answer must begin within so many `seconds`, and the body must have come within `body_seconds`.
    """

    def __init__(self, seconds: float, body_seconds: float) -> None:
        self._seconds = seconds
        self._body_seconds = min(seconds, body_seconds)
        self._attended: dict[Attended, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, since: float) -> Attended:
        """Look after the current task, which began at `since` of `time.perf_counter` and reads its body first."""
        task = asyncio.current_task()
        assert task is not None
        attended = Attended(task, since)
        self._attended[attended] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
        return attended

    def go_on(self, attended: Attended) -> None:
        """The answer begins, and goes on for as long as its client stays."""
        self._attended.pop(attended, None)
        attended.look()

    def end(self, attended: Attended) -> None:
        """The answer begins, or there is none."""
        self._attended.pop(attended, None)
        if attended.looking is not None:
            attended.looking.cancel()

    def _look(self) -> None:
        now = time.perf_counter()
        for attended in self._attended:
            age = now - attended.since
            if age < LOOK_EVERY:
                break
            if age > (self._body_seconds if attended.receive is None else self._seconds):
                attended.cancel(Fate.LATE)
            attended.look()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(LOOK_EVERY, self._look) if self._attended else None
