"""Parquet files of plain columns whose values all have a known length, so that the file's layout is known beforehand.

https://github.com/apache/parquet-format: format version 1, PLAIN pages, no compression. Nulls are allowed, as readers
expect, and there are none. The bytes depend on no library, and any part of a file can be written without the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import pairwise
from struct import Struct

from latent.runs import Images, Run, once
from latent.thrift import BINARY, I32, STRUCT, Value, binary, i32, i64, listed, struct, text, varint

MAGIC = b"PAR1"
INT64, FLOAT, BYTE_ARRAY = 2, 4, 6
PLAIN, RLE = 0, 3
OPTIONAL = 1
DATA_PAGE = UTF8 = UNCOMPRESSED = 0
END = Struct("<I4s")
"""The length of the footer, and the magic number."""

_length = Struct("<I").pack


@dataclass(frozen=True)
class Column:
    path: tuple[str, ...]
    kind: int
    """INT64, FLOAT or BYTE_ARRAY."""
    width: int
    """Bytes of each value, with the length before it that a BYTE_ARRAY has."""
    write: Callable[[range, Images], bytes]
    """The values of some items, one after the other."""
    page: int | None = None
    """Items in a page; if absent, a row group has one page."""
    draws: bool = False
    is_text: bool = False
    bounds: Callable[[range], tuple[bytes, bytes]] | None = None
    """The least and the greatest of the values of some items: a reader leaves out row groups without what it wants."""

    def pages(self, items: range, head: bytes) -> Run:
        """The pages of a row group."""
        return Run(items, self.step(items), self.page_size, self._write_page, self.draws, head)

    def step(self, items: range) -> int:
        return self.page or max(1, len(items))

    def page_size(self, count: int) -> int:
        return len(self._page_head(count)) + count * self.width

    def _write_page(self, items: range, images: Images) -> bytes:
        return self._page_head(len(items)) + self.write(items, images)

    def _page_head(self, count: int) -> bytes:
        """What stands before the values of a page."""
        return _page_head(count, self.width, len(self.path))


@dataclass(frozen=True)
class Parquet:
    """A file of the rows `items`, with `rows` of them in a row group."""

    items: range
    rows: int
    columns: tuple[Column, ...]
    """Those of one structure stand together."""
    metadata: dict[str, str] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """The bytes of the file."""
        return self._data_size + len(self._footer)

    def runs(self) -> Iterator[Run]:
        head = MAGIC
        for items in self._groups():
            for column in self.columns:
                yield column.pages(items, head)
                head = b""
        yield once(len(head) + len(self._footer), lambda: head + self._footer)

    def _groups(self) -> Iterator[range]:
        return (self.items[first : first + self.rows] for first in range(0, len(self.items), self.rows))

    @cached_property
    def _offsets(self) -> list[list[int]]:
        """For each row group where its columns begin, and where the last ends."""
        offset, groups = len(MAGIC), []
        for items in self._groups():
            offsets = [offset]
            for column in self.columns:
                offset += column.pages(items, b"").size
                offsets.append(offset)
            groups.append(offsets)
        return groups

    @property
    def _data_size(self) -> int:
        return self._offsets[-1][-1] if self._offsets else len(MAGIC)

    @cached_property
    def _footer(self) -> bytes:
        """FileMetaData, its length and the magic number."""
        groups = [self._group(*group) for group in zip(self._groups(), self._offsets, strict=True)]
        fields = {
            1: i32(1),
            2: listed(STRUCT, self._schema()),
            3: i64(len(self.items)),
            4: listed(STRUCT, groups),
            5: listed(STRUCT, [struct({1: text(key), 2: text(value)}) for key, value in self.metadata.items()]),
            6: text("faussaire"),
            7: listed(STRUCT, [struct({1: struct({})})] * len(self.columns)),
        }
        encoded = struct(fields).encoded
        return encoded + END.pack(len(encoded), MAGIC)

    def _schema(self) -> list[Value]:
        """SchemaElements, each structure before its members."""
        nested: dict[str, list[Column]] = {}
        for column in self.columns:
            nested.setdefault(column.path[0], []).append(column)
        elements = [struct({4: text("schema"), 5: i32(len(nested))})]
        for name, columns in nested.items():
            if len(columns[0].path) > 1:
                elements.append(struct({3: i32(OPTIONAL), 4: text(name), 5: i32(len(columns))}))
            elements += [_element(column) for column in columns]
        return elements

    def _group(self, items: range, offsets: list[int]) -> Value:
        """RowGroup"""
        size = i64(offsets[-1] - offsets[0])
        chunks = [
            struct({2: i64(0), 3: _chunk(column, items, start, stop - start)})
            for column, (start, stop) in zip(self.columns, pairwise(offsets), strict=True)
        ]
        return struct({1: listed(STRUCT, chunks), 2: size, 3: i64(len(items)), 5: i64(offsets[0]), 6: size})


def _element(column: Column) -> Value:
    """SchemaElement of a column."""
    fields = {1: i32(column.kind), 3: i32(OPTIONAL), 4: text(column.path[-1])}
    return struct(fields | {6: i32(UTF8), 10: struct({1: struct({})})} if column.is_text else fields)


def _chunk(column: Column, items: range, offset: int, size: int) -> Value:
    """ColumnMetaData"""
    fields = {
        1: i32(column.kind),
        2: listed(I32, [i32(PLAIN)]),
        3: listed(BINARY, [text(name) for name in column.path]),
        4: i32(UNCOMPRESSED),
        5: i64(len(items)),
        6: i64(size),
        7: i64(size),
        9: i64(offset),
    }
    if column.bounds is not None:
        least, greatest = column.bounds(items)
        fields[12] = struct({3: i64(0), 5: binary(greatest), 6: binary(least)})
    return struct(fields)


@lru_cache
def _page_head(count: int, width: int, depth: int) -> bytes:
    """PageHeader with its DataPageHeader, and the definition levels: that no value is null, nor what it is inside."""
    levels = varint(count << 1) + bytes([depth])  # one run of the highest level
    size = i32(4 + len(levels) + count * width)
    data = struct({1: i32(count), 2: i32(PLAIN), 3: i32(RLE), 4: i32(RLE)})
    return struct({1: i32(DATA_PAGE), 2: size, 3: size, 5: data}).encoded + _length(len(levels)) + levels
