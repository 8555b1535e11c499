"""Images that were encoded before, by their ETag, and how the ETag of one is known before it is drawn."""

import hashlib

from cachetools import LRUCache

from service.encoding.formats import Rendering
from service.planning.provenance import Origin

HEX_DIGITS = 32


class Cache:
    """The images asked for last, of so many bytes together; of none it keeps nothing."""

    def __init__(self, max_bytes: int) -> None:
        self._images: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=len)

    def get(self, etag: str) -> bytes | None:
        return self._images.get(etag)

    def put(self, etag: str, content: bytes) -> None:
        if len(content) <= self._images.maxsize:
            self._images[etag] = content


def etag_of(origin: Origin, rendering: Rendering) -> str:
    """A strong ETag: of what the file says of itself and how it is rendered, which is all that decides its bytes."""
    decided = f"{origin.text()} {rendering}"
    return f'"{hashlib.sha256(decided.encode()).hexdigest()[:HEX_DIGITS]}"'
