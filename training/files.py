"""Files that are whole or absent: written beside their place, then renamed into it."""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; it becomes `path` when the block ends well, and is gone when it does not."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The ending stays the last part of the name, since some writers choose their format by it.
    beside = path.with_name(f".{path.stem}.{os.getpid()}{path.suffix}")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


@contextmanager
def lasting(path: Path) -> Iterator[Path]:
    """The same, and on the disk before it takes its place: what is left after a power cut is whole too."""
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
    """What `torch.load` reads; by way of memory, since torch's own writer hides that a disk is full."""
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    with replacing(path) as beside:
        beside.write_bytes(buffer.getbuffer())


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
