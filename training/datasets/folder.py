"""A folder of pictures: each sub-folder is a class."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from PIL import Image

from training.datasets.collection import Collection, by_folder
from training.datasets.pictures import Picture


def read_folder(folder: Path, name: str) -> Collection:
    """The pictures in sub-folders, at whatever depth, or in the folder itself as one class `name`.

    Raises DataUnavailable.
    """
    return by_folder(folder, name, ((path, _picture(folder, path)) for path in find_files(folder, endings())))


def endings() -> set[str]:
    """The endings of files that Pillow can open."""
    return {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN}


def find_files(folder: Path, suffixes: set[str]) -> Iterator[PurePosixPath]:
    """The files with these suffixes inside a folder, by their paths there; none that are passed over."""
    seen: set[str] = set()
    for inside, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(inside)
        # A link may lead back to where it came from.
        folders[:] = [] if real in seen else [name for name in folders if not is_passed_over(name)]
        if real in seen:
            continue
        seen.add(real)
        for name in files:
            if not is_passed_over(name) and Path(name).suffix.lower() in suffixes:
                yield PurePosixPath(os.path.relpath(Path(inside) / name, folder))


def is_passed_over(name: str) -> bool:
    """Whether a file or folder is hidden, or is what macOS or Synology put beside those of a person."""
    return name.startswith((".", "__MACOSX", "@eaDir"))


def _picture(folder: Path, path: PurePosixPath) -> Picture:
    return Picture(str(path), "", folder / path, str(folder / path))
