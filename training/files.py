"""Files that are complete or absent: written beside their place, then renamed; and names for them."""

import hashlib
import io
import os
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

LONGEST_NAME = 60


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a path to write to. It becomes `path` if the block ends well, and is removed if not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays last, because some writers choose the format by it.
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


@contextmanager
def lasting(path: Path) -> Iterator[Path]:
    """The same as `replacing`, but the file is on the disk before it takes its place: a power cut loses nothing."""
    with replacing(path) as beside:
        yield beside
        _sync(beside)
    _sync(path.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def save_tensors(path: Path, tensors: dict[str, Any]) -> None:
    """Write a file for `torch.load`. It goes through memory, because torch's own writer hides that a disk is full."""
    import torch  # here, so that commands that need no torch can use this module

    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    with replacing(path) as beside:
        beside.write_bytes(buffer.getbuffer())


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def slug(name: str) -> str:
    """A name for a file: a-z, 0-9 and single hyphens between; empty if the name has no letter or digit of these."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")
