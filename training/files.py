"""Files that are complete or absent: written beside their place, then renamed; and names for them."""

import errno
import fcntl
import io
import os
import re
import socket
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

LONGEST_NAME = 60


class Damaged(Exception):
    """A file that is not as it was written. The message says how that is known."""


class Locked(Exception):
    """Another process holds the lock. The message says which."""


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
    """Write a file for `read_tensors`. It goes through memory, because torch's own writer hides that a disk is full."""
    import torch  # here, so that commands that need no torch can use this module

    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    with lasting(path) as beside:
        beside.write_bytes(buffer.getbuffer())


def read_tensors(path: Path, device: "torch.device") -> dict[str, Any]:
    """Raises Damaged. The file is a zip, with a checksum of each part, which torch does not compare."""
    import torch

    content = io.BytesIO(path.read_bytes())
    try:
        with zipfile.ZipFile(content) as parts:
            differing = parts.testzip()
        content.seek(0)
        tensors = {} if differing else torch.load(content, map_location=device, weights_only=True)
    except zipfile.BadZipFile as error:
        raise Damaged("it ends early, or its beginning or end was overwritten") from error
    except Exception as error:  # zipfile and torch raise anything for what they did not write
        raise Damaged("it does not hold what training writes") from error
    if differing is not None:
        raise Damaged("its checksum is wrong")
    return dict(tensors)


@contextmanager
def locking(path: Path) -> Iterator[None]:
    """Hold a lock on a file, which ends with the process. Raises Locked if another process has it.

    A file system without locks gives none.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise Locked(file.read().strip() or "another process") from None
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL):
                raise
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        yield


def slug(name: str) -> str:
    """A name for a file: a-z, 0-9 and single hyphens between; empty if the name has no letter or digit of these."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")[:LONGEST_NAME].strip("-")
