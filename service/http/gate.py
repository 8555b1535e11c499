"""How many requests are in work. A few more wait in a line; the rest are refused before they cost anything."""

import asyncio
from collections import deque

from service.errors import QueueFull


class Gate:
    """At most `working` requests in work and `waiting` in the line."""

    def __init__(self, working: int, waiting: int) -> None:
        self._room = working
        self._waiting = waiting
        self._line: deque[asyncio.Future[None]] = deque()

    def enter(self) -> bool:
        """Take a place if one is free."""
        if not self._room:
            return False
        self._room -= 1
        return True

    async def wait(self) -> None:
        """Wait in the line for a place. Raises QueueFull."""
        if len(self._line) >= self._waiting:
            raise QueueFull(1)
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():  # it is still in the line
                self._line.remove(place)
            else:
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to the first in the line."""
        while self._line:
            place = self._line.popleft()
            if not place.done():
                place.set_result(None)
                return
        self._room += 1
