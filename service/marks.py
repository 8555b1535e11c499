"""How the service sees that a file has changed: models, keys and certificates may, while it runs."""

from pathlib import Path
from typing import NamedTuple


class Mark(NamedTuple):
    """Changes when a file's content does: a writer that renames a file into its place gives it another inode."""

    bytes: int
    modified_ns: int
    inode: int


def mark_of(path: Path) -> Mark | None:
    """The mark of a file, or of the one that a link leads to; None if there is none. Raises OSError."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Mark(status.st_size, status.st_mtime_ns, status.st_ino)
