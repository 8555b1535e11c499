"""Request bodies: read whole before the application runs, within limits of length and memory."""

from service.errors import BodyTooLarge, QueueFull, RequestError
from service.http.asgi import Message, Receive

DRAINED = 32 * 2**20
"""The most bytes of a refused body that are read, so that its sender reads the answer."""


class Gone(Exception):
    """The client left before its body had arrived."""


class UploadBudget:
    """The memory for uploads that arrive, wait or are read."""

    def __init__(self, max_held: int) -> None:
        self._max_held = max_held
        self._held = 0

    def hold(self, size: int) -> None:
        """Raises QueueFull."""
        if self._held + size > self._max_held:
            raise QueueFull(1)
        self._held += size

    def release(self, size: int) -> None:
        self._held -= size


class Body:
    """The body of one request. It holds memory of the budget, if there is one, as it arrives."""

    __slots__ = ("_budget", "_max_bytes", "_more", "_parts", "_receive", "_size")

    def __init__(self, receive: Receive, max_bytes: int, budget: UploadBudget | None = None) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._budget = budget
        self._parts: list[bytes] = []
        self._size = 0
        self._more = True

    async def read(self) -> bytes:
        """All of it. Raises BodyTooLarge for a longer one, with or without a declared length, QueueFull, and Gone."""
        try:
            while self._more:
                self._take(await self._receive())
        except RequestError:
            await drain(self._receive, self._more)
            raise
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def _take(self, message: Message) -> None:
        if message["type"] == "http.disconnect":
            raise Gone
        part, self._more = message.get("body", b""), message.get("more_body", False)
        if self._size + len(part) > self._max_bytes:
            raise BodyTooLarge("body", f"Send at most {self._max_bytes} bytes.")
        if self._budget is not None:
            self._budget.hold(len(part))
        self._size += len(part)
        self._parts.append(part)

    def release(self) -> None:
        """The request is answered: give the memory back."""
        if self._budget is not None:
            self._budget.release(self._size)


async def drain(receive: Receive, more: bool = True) -> None:
    """Read the rest of a refused body, if there is more, and drop it."""
    drained = 0
    while more and drained < DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        more = message.get("more_body", False)
