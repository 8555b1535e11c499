"""Encoded images by their ETag, and the ETag of an image before it is drawn."""

from hashlib import sha256

from cachetools import LRUCache

from service.encoding.formats import Rendering

HEX_DIGITS = 32


class Cache:
    """Keeps the images asked for last, as many as fit in `max_bytes` bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._images: LRUCache[bytes, bytes] = LRUCache(max_bytes, getsizeof=len)

    def get(self, etag: bytes) -> bytes | None:
        return self._images.get(etag)

    def put(self, etag: bytes, content: bytes) -> None:
        if len(content) <= self._images.maxsize:
            self._images[etag] = content


def etag_of(text: str, rendering: Rendering, faults: str = "") -> bytes:
    """A strong ETag from the text that the file records, its rendering, and the faults of images not drawn.

    Together they decide every byte.
    """
    decided = f"{text} {rendering.format} {rendering.scale} {rendering.fps} {rendering.back}{faults}"
    return b'"%b"' % sha256(decided.encode()).hexdigest()[:HEX_DIGITS].encode("ascii")
