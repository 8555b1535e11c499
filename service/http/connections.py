"""All connections of a worker: how many there may be, what each may send, and how long a client may take."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Protocol

LOOK_EVERY = 0.5
"""Seconds. One timer serves all connections, so that a request sets no timer."""


@dataclass(frozen=True)
class Patience:
    """What one client may take, and all together."""

    connections: int
    """Of a worker."""
    connections_of_client: int
    """From one address."""
    head_bytes: int
    """Of a request's line and headers."""
    head_seconds: float
    """From the first byte of a head to its last."""
    idle_seconds: float
    """Between two requests, or before the first."""
    stalled_seconds: float
    """In which a client reads too little of an answer."""


class Timed(Protocol):
    deadline: float

    def expire(self, now: float) -> None: ...


class Connections:
    """Counts the connections, and ends those whose deadline has passed."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience
        self._open: dict[Timed, str] = {}
        self._by_client: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def admit(self, connection: Timed, client: str) -> bool:
        """Whether there is room for one more, of this client's address; one that has its place keeps it."""
        if connection in self._open:
            return True
        if len(self._open) >= self.patience.connections:
            return False
        if self._by_client[client] >= self.patience.connections_of_client:
            return False
        self._open[connection] = client
        self._by_client[client] += 1
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)
        return True

    def drop(self, connection: Timed) -> None:
        client = self._open.pop(connection, None)
        if client is not None:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in [each for each in self._open if each.deadline < now]:
            connection.expire(now)
        self._timer = loop.call_later(LOOK_EVERY, self._look) if self._open else None
