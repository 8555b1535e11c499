"""`docs/noise.md` as the second implementation: its code, run, and its tables of test vectors, read."""

import struct
from typing import Any

from tests.docs import markdown

PAGE = markdown.page("docs/noise.md")


def functions() -> dict[str, Any]:
    """Return the functions of the page's code by name; they take and give Python's floats."""
    names: dict[str, Any] = {}
    for block in markdown.code(PAGE, "python"):
        exec(block, names)
    return names


def rows_under(*columns: str) -> list[list[str]]:
    """Return the rows of the page's table with these columns, without the marks of code."""
    table = next(rows for head, *rows in markdown.tables(PAGE) if head == list(columns))
    return [[cell.strip("`").replace("` `", " ") for cell in row] for row in table]


def bits(number: float) -> str:
    """Return the 64 bits of a float as 16 hexadecimal digits."""
    return struct.pack(">d", number).hex()
