"""What an image file holds besides its pixels: our record is found wherever it stands, and the rest is left out.

A colour profile of a megabyte, a wrong checksum or a broken Exif says nothing of the pixels, but makes readers fail.
"""

import re
import zlib
from collections.abc import Iterator
from typing import Literal, NamedTuple

from latent.origin import KEYWORD, LONGEST, Origin, parse_origin
from latent.png import SIGNATURE

JPEG = b"\xff\xd8\xff"

PNG_KEPT = {b"tRNS", b"acTL", b"fcTL", b"fdAT"}
"""Chunks that decide what is seen, though a reader may leave them out: transparency and animation."""

JPEG_KEPT = {0xE0, 0xEE}
"""Segments of applications that decide what is seen: JFIF, and Adobe for the colours."""

FILLED = re.compile(rb"\xff+")
"""A marker begins with one such byte, and more may fill before it (ITU-T T.81, B.1.1.2)."""

EXIF, START_OF_SCAN, COMMENT = 0xE1, 0xDA, 0xFE
APPLICATIONS = range(0xE0, 0xF0)

EXIF_START = b"Exif\0\0"
ORIENTATION, SHORT = 0x0112, 3
UPRIGHT = 1


class Chunk(NamedTuple):
    kind: bytes
    data: bytes
    file: bytes
    """The whole chunk as the file has it."""
    intact: bool
    """Whether its checksum is right."""


def read_record(content: bytes) -> Origin | None:
    """The origin that a PNG records in any text chunk, before or behind the pixels, compressed or not."""
    found = None
    for chunk in _chunks(content):
        text = _text(chunk) if chunk.intact else None
        if text is not None:
            found = parse_origin(text) or found
    return found


def strip_metadata(content: bytes) -> bytes:
    """The same file with only what decides its pixels, as far as it is a PNG or a JPEG."""
    if content.startswith(SIGNATURE):
        return SIGNATURE + b"".join(chunk.file for chunk in _chunks(content) if _is_needed(chunk))
    return _strip_jpeg(content) if content.startswith(JPEG) else content


def read_orientation(content: bytes) -> int:
    """Which way is up, as Exif has it, from 1 to 8: of a PNG, a JPEG, or of Exif itself. 1 if that is not said."""
    if content.startswith(SIGNATURE):
        found = [chunk.data for chunk in _chunks(content) if chunk.kind == b"eXIf" and chunk.intact]
    elif content.startswith(JPEG):
        found = [data for marker, data, _ in _segments(content) if marker == EXIF and data.startswith(EXIF_START)]
    else:
        found = [content]
    return _orientation(found[0].removeprefix(EXIF_START)) if found else UPRIGHT


def _orientation(exif: bytes) -> int:
    """By the first directory of TIFF's layout: entries of 12 bytes, with tag, type, count and value."""
    orders: dict[bytes, Literal["big", "little"]] = {b"MM\0*": "big", b"II*\0": "little"}
    order = orders.get(exif[:4])
    if order is None:
        return UPRIGHT
    start = int.from_bytes(exif[4:8], order)
    for entry in range(int.from_bytes(exif[start : start + 2], order)):
        field = exif[start + 2 + 12 * entry :][:12]
        tag, kind, value = (int.from_bytes(field[place : place + 2], order) for place in (0, 2, 8))
        if len(field) < 12:
            break
        if tag == ORIENTATION and kind == SHORT and UPRIGHT <= value <= 8:
            return value
    return UPRIGHT


def _chunks(content: bytes) -> Iterator[Chunk]:
    """The chunks of a PNG up to its end. A file that breaks off ends in a chunk that is not intact."""
    start = len(SIGNATURE)
    while content.startswith(SIGNATURE) and start < len(content):
        end = start + 12 + int.from_bytes(content[start : start + 4])
        kind, data, checksum = content[start + 4 : start + 8], content[start + 8 : end - 4], content[end - 4 : end]
        intact = end <= len(content) and zlib.crc32(data, zlib.crc32(kind)) == int.from_bytes(checksum)
        yield Chunk(kind, data, content[start:end], intact)
        if kind == b"IEND":
            return
        start = end


def _is_needed(chunk: Chunk) -> bool:
    """A reader must know every kind that begins with a capital letter."""
    return not chunk.kind or chunk.kind[:1].isupper() or (chunk.kind in PNG_KEPT and chunk.intact)


def _text(chunk: Chunk) -> str | None:
    """The text under our keyword, if it is not too long."""
    keyword, _, rest = chunk.data.partition(b"\0")
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt") or keyword != KEYWORD.encode():
        return None
    packed = chunk.kind == b"zTXt"
    if packed:
        rest = rest[1:]  # the method, which is always deflate
    if chunk.kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]  # behind a language and a translation
    try:
        unpacked = zlib.decompressobj().decompress(rest, LONGEST + 1) if packed else rest
    except zlib.error:
        return None
    return unpacked.decode("utf-8" if chunk.kind == b"iTXt" else "latin-1", "replace")


def _strip_jpeg(content: bytes) -> bytes:
    kept, end = [content[:2]], 2
    for marker, _, segment in _segments(content):
        if marker in JPEG_KEPT or not (marker in APPLICATIONS or marker == COMMENT):
            kept.append(segment)
        end += len(segment)
    return b"".join([*kept, content[end:]])


def _segments(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """The segments of a JPEG before its pixels: marker, data, and the whole, with any bytes that fill before it."""
    start = 2
    while (filled := FILLED.match(content, start)) is not None:
        place = filled.end()
        if place + 3 > len(content) or content[place] == START_OF_SCAN:
            return
        end = place + 1 + max(2, int.from_bytes(content[place + 1 : place + 3]))
        yield content[place], content[place + 3 : end], content[start:end]
        start = end
