"""Encoded images by their ETag, and the ETag of an image before it is drawn."""

import hashlib

from cachetools import LRUCache

from latent.origin import Origin
from service.encoding.formats import Rendering

HEX_DIGITS = 32


class Cache:
    """Keeps the images asked for last, as many as fit in `max_bytes` bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._images: LRUCache[str, bytes] = LRUCache(max_bytes, getsizeof=len)

    def get(self, etag: str) -> bytes | None:
        return self._images.get(etag)

    def put(self, etag: str, content: bytes) -> None:
        if len(content) <= self._images.maxsize:
            self._images[etag] = content


def etag_of(origin: Origin, rendering: Rendering, faults: str = "") -> str:
    """A strong ETag from the origin that the file records, its rendering, and the faults of images not drawn.

    Together they decide every byte.
    """
    decided = f"{origin.text()} {rendering}{faults}"
    return f'"{hashlib.sha256(decided.encode()).hexdigest()[:HEX_DIGITS]}"'
