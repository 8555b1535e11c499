"""Values in Thrift's compact protocol, in which Parquet has its metadata.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Sequence
from typing import NamedTuple

I32, I64, BINARY, LIST, STRUCT = 5, 6, 8, 9, 12
SHORT_LIST = 15
"""A list of fewer elements has their number beside their type."""


class Value(NamedTuple):
    kind: int
    encoded: bytes


def i32(number: int) -> Value:
    return Value(I32, _zigzag(number))


def i64(number: int) -> Value:
    return Value(I64, _zigzag(number))


def binary(content: bytes) -> Value:
    return Value(BINARY, varint(len(content)) + content)


def text(content: str) -> Value:
    return binary(content.encode())


def listed(kind: int, values: Sequence[Value]) -> Value:
    """A list of values, all of this kind."""
    count = len(values)
    head = bytes([count << 4 | kind]) if count < SHORT_LIST else bytes([0xF0 | kind]) + varint(count)
    return Value(LIST, head + b"".join([value.encoded for value in values]))


def struct(fields: dict[int, Value]) -> Value:
    """A structure, from its fields by number in ascending order; each is at most 15 above the one before."""
    encoded, before = b"", 0
    for number, value in fields.items():
        encoded += bytes([number - before << 4 | value.kind]) + value.encoded
        before = number
    return Value(STRUCT, encoded + b"\0")


def _zigzag(number: int) -> bytes:
    """Small numbers of either sign in few bytes: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return varint(number << 1 if number >= 0 else -number * 2 - 1)


def varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; all bytes but the last have the highest bit."""
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
