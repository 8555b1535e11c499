"""Request bodies: read whole before the application runs, within limits of length and memory."""

from service.errors import BodyTooLarge, QueueFull
from service.http.asgi import Receive

DRAINED = 32 * 2**20
"""The most bytes of a refused body that are read, so that its sender reads the answer."""


class Gone(Exception):
    """The client left before its body had arrived."""


async def read(receive: Receive, max_bytes: int) -> bytes:
    """The whole body. Raises BodyTooLarge for a longer one, with or without a declared length, and Gone."""
    parts: list[bytes] = []
    size, more = 0, True
    while more and size <= max_bytes:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        more = message.get("more_body", False)
    if size > max_bytes:
        if more:
            await drain(receive)
        raise BodyTooLarge("body", f"Send at most {max_bytes} bytes.")
    return b"".join(parts)


async def drain(receive: Receive) -> None:
    """Read the rest of a refused body and drop it."""
    drained, more = 0, True
    while more and drained < DRAINED:
        message = await receive()
        drained += len(message.get("body", b""))
        more = message.get("more_body", False)


class UploadBudget:
    """The memory for uploads that are read or waiting. An upload without a declared length counts as the longest."""

    def __init__(self, longest: int, max_held: int) -> None:
        self._longest = longest
        self._max_held = max_held
        self._held = 0

    def hold(self, declared: str | None) -> int:
        """Hold the memory of one upload of the declared length, and return how much. Raises QueueFull."""
        size = min(int(declared), self._longest) if declared and declared.isdecimal() else self._longest
        if self._held + size > self._max_held:
            raise QueueFull(1)
        self._held += size
        return size

    def release(self, size: int) -> None:
        self._held -= size
