"""Disk space for the metrics of the workers, which are files that they map into memory.

To write to a page for which a full disk has no room ends a process by SIGBUS. So the room is taken at the start.
"""

import os
import shutil
from pathlib import Path

from service.errors import InvalidSetting

NEEDED = 2**23
"""Bytes of one worker: five files of a megabyte, and what else it writes."""


def require_space(folder: Path, workers: int) -> None:
    """Raises InvalidSetting if the disk has no room."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < NEEDED * workers:
        mebibytes = NEEDED * workers // 2**20
        raise InvalidSetting(f"the disk of {folder} is full: free {mebibytes} MiB, or set BENTOML_HOME to another disk")


def reserve_space(folder: Path) -> None:
    """Take the room of this worker's files. Raises OSError."""
    for path in folder.glob(f"*_{os.getpid()}.db"):
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
