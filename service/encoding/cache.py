"""Answers by what was asked for, and the ETag of an image before it is drawn."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from cachetools import LRUCache

from service.encoding.formats import Rendering

HEX_DIGITS = 32

BESIDE = 1_000
"""Bytes of memory that an answer takes beside its content."""

Key = tuple[bytes, str | None]
"""The query of a URL as it was sent, and what its header says of the canary."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An image that was asked for, and what is told of it with it."""

    content: bytes
    etag: str
    headers: list[tuple[bytes, bytes]]
    """Of the answer that the client has the image."""
    more: list[tuple[bytes, bytes]]
    """Further headers of the answer with the image."""
    model: str
    role: str | None
    catalogue: Any
    """What was served then. Once something else is served, the same query may mean another version."""


class Cache:
    """Keeps the answers asked for last, as many as fit in `max_bytes` bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._kept: LRUCache[Key, Kept] = LRUCache(max_bytes, getsizeof=lambda kept: len(kept.content) + BESIDE)

    def get(self, key: Key, catalogue: Any) -> Kept | None:
        """The answer to a query while `catalogue` is served."""
        kept: Kept | None = self._kept.get(key)
        return kept if kept is not None and kept.catalogue is catalogue else None

    def put(self, key: Key, kept: Kept) -> None:
        if self._kept.getsizeof(kept) <= self._kept.maxsize:
            self._kept[key] = kept


def etag_of(text: str, rendering: Rendering, faults: str = "") -> bytes:
    """A strong ETag from the text that the file records, its rendering, and the faults of images not drawn.

    Together they decide every byte.
    """
    decided = f"{text} {rendering.format} {rendering.scale} {rendering.fps} {rendering.back}{faults}"
    return b'"%b"' % sha256(decided.encode()).hexdigest()[:HEX_DIGITS].encode("ascii")
