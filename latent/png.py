"""Images as PNG files (ISO/IEC 15948) with a text chunk.

The chunks are written here, around the deflate of zlib-ng: a digit takes 10 microseconds, by Pillow eighty. Whoever
reads our files has a library for it.
"""

import zlib
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from zlib_ng.zlib_ng import compress

LEVEL = 1
"""The fastest that compresses: a quarter of the time of level 2, for a digit of 296 bytes in place of 282."""

COMPRESSED = 1000
"""Characters of a text chunk above which it is compressed, as the PNG specification recommends."""

COLOUR_TYPE = {1: 0, 3: 2}
"""By the number of channels: grey, RGB."""

SIGNATURE, END = b"\x89PNG\r\n\x1a\n", b"\0\0\0\0IEND\xaeB`\x82"

STORED = 65_535
"""The most bytes that a block of deflate may hold as they are (RFC 1951, section 3.2.4)."""

_length = Struct(">I").pack
_stored = Struct("<BHH").pack


def encode_png(image: NDArray[np.uint8], keyword: str = "", text: str = "") -> bytes:
    """PNG of one image (H, W, channels), grey or RGB. A text chunk has the text, in ASCII, if there is one."""
    height, width, channels = image.shape
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter, which is none
    rows[:, 1:] = image.reshape(height, -1)
    return _file(_head(height, width, channels), keyword, text, rows)


def encode_pngs(images: NDArray[np.uint8], keyword: str = "", texts: Sequence[str] | None = None) -> list[bytes]:
    """The same of each of some images (N, H, W, channels), with a text each or none."""
    count, height, width, channels = images.shape
    texts = [""] * count if texts is None else texts
    head, rows = _head(height, width, channels), np.zeros((count, height, 1 + width * channels), np.uint8)
    rows[:, :, 1:] = images.reshape(count, height, -1)
    return [_file(head, keyword, text, image) for text, image in zip(texts, rows, strict=True)]


def store_pngs(images: NDArray[np.uint8]) -> list[bytes]:
    """PNGs of some images (N, H, W, channels) without compression.

    All have the length `stored_size`, and no library decides their bytes.
    """
    count, height, width, channels = images.shape
    rows = np.zeros((count, height, 1 + width * channels), np.uint8)
    rows[:, :, 1:] = images.reshape(count, height, -1)
    head = _head(height, width, channels)
    return [b"%b%b%b" % (head, _chunk(b"IDAT", _store(image.tobytes())), END) for image in rows]


def stored_size(height: int, width: int, channels: int) -> int:
    """The bytes of each of `store_pngs`."""
    pixels = height * (1 + width * channels)
    blocks = -(-pixels // STORED)
    return len(_head(height, width, channels)) + 12 + 2 + 5 * blocks + pixels + 4 + len(END)


def _store(content: bytes) -> bytes:
    """The zlib stream (RFC 1950) of bytes as they are."""
    parts = [b"\x78\x01"]
    for start in range(0, len(content), STORED):
        block = content[start : start + STORED]
        parts += [_stored(start + STORED >= len(content), len(block), len(block) ^ 0xFFFF), block]
    return b"".join([*parts, _length(zlib.adler32(content))])


def _file(head: bytes, keyword: str, text: str, rows: NDArray[np.uint8]) -> bytes:
    pixels = _chunk(b"IDAT", compress(rows, LEVEL))
    return b"%b%b%b%b" % (head, _text_chunk(keyword, text) if text else b"", pixels, END)


@lru_cache
def _head(height: int, width: int, channels: int) -> bytes:
    """The signature, and the first chunk."""
    return SIGNATURE + _chunk(b"IHDR", Struct(">IIBBBBB").pack(width, height, 8, COLOUR_TYPE[channels], 0, 0, 0))


def _text_chunk(keyword: str, text: str) -> bytes:
    if len(text) > COMPRESSED:
        return _chunk(b"zTXt", f"{keyword}\0\0".encode("ascii") + zlib.compress(text.encode("ascii")))
    return _chunk(b"tEXt", f"{keyword}\0{text}".encode("ascii"))


def _chunk(kind: bytes, content: bytes) -> bytes:
    return b"%b%b%b%b" % (_length(len(content)), kind, content, _length(crc32(content, crc32(kind))))
