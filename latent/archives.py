"""Tar and zip archives of files that are written one after the other, byte for byte the same each time.

Python's own `zipfile` and `tarfile` write what is here, at five times the cost of a PNG of a digit.
"""

import tarfile
from struct import Struct
from zlib import crc32

TOLD, REST = Struct("<5H3I2H"), Struct("<3H2I")
END = Struct("<4s4H2IH")
END64 = Struct("<4sQ2H2I4Q")
LOCATOR64 = Struct("<4sIQI")
"""APPNOTE.TXT 6.3.10, sections 4.3.7 to 4.3.16."""

ZIP_END = b"PK\x05\x06"
ZIP_END_SIZE = 22

VERSION, VERSION64 = 20, 45
MADE_BY = b"\x14\x03"
"""Version 2.0, on Unix."""
UTF_8 = 0x800
FIRST_DATE = 0x21
"""1 January 1980: the bytes do not depend on the clock."""
FILE = 0o600 << 16
MANY = 0xFFFF
LARGE = 0xFFFFFFFF

TAR_END = bytes(2 * tarfile.BLOCKSIZE)


class Zip:
    """A zip archive without compression. Its directory of the files stays in memory until the end."""

    def __init__(self) -> None:
        self._directory: list[bytes] = []
        self._offset = 0

    def member(self, name: str, content: bytes) -> bytes:
        """The bytes of one file, of less than 4 GiB. Readers of streams know its length before it begins."""
        named, offset, size = name.encode(), self._offset, len(content)
        if offset >= LARGE:
            raise ValueError("the archive would be larger than 4 GiB")
        # In both headers: which version reads it, the flags, no compression, the date, the checksum and the lengths.
        told = TOLD.pack(VERSION, UTF_8, 0, 0, FIRST_DATE, crc32(content), size, size, len(named), 0)
        written = b"PK\x03\x04%b%b%b" % (told, named, content)
        self._directory.append(b"PK\x01\x02%b%b%b%b" % (MADE_BY, told, REST.pack(0, 0, 0, FILE, offset), named))
        self._offset += len(written)
        return written

    def end(self) -> bytes:
        """The directory, in the form of zip64 where there are too many files for the older one."""
        directory, count = b"".join(self._directory), len(self._directory)
        size, offset, more = len(directory), self._offset, b""
        if count >= MANY:
            more = END64.pack(b"PK\x06\x06", 44, VERSION64, VERSION64, 0, 0, count, count, size, offset)
            more += LOCATOR64.pack(b"PK\x06\x07", 0, offset + size, 1)
        counted = min(count, MANY)
        return directory + more + END.pack(ZIP_END, 0, 0, counted, counted, size, offset, 0)


def tar_header(name: str, size: int) -> bytes:
    """The header of a file in GNU's format, which has sizes beyond 8 GiB."""
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def tar_padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def tar_member(name: str, content: bytes) -> bytes:
    """A small file: its name has at most 99 ASCII characters."""
    told = b"%b%b%011o" % (name.encode("ascii").ljust(100, b"\0"), MODE_TO_SIZE, len(content))
    checksum = b"%06o\0 " % (sum(told) + REST_SUM)
    return b"%b%b%b%b%b" % (told, MODIFIED, checksum, AFTER_CHECKSUM, content) + tar_padding(len(content))


_BLANK = tar_header("", 0)
MODE_TO_SIZE, MODIFIED, AFTER_CHECKSUM = _BLANK[100:124], _BLANK[135:148], _BLANK[156:]
REST_SUM = sum(MODIFIED) + sum(AFTER_CHECKSUM) + 8 * ord(" ")
"""Of the bytes that no file changes, with spaces for the checksum itself."""
