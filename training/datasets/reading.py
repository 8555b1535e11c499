"""Finds out how the data at a path are kept, and reads them."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from training.datasets import archives, arrays, tables
from training.datasets.collection import Collection
from training.datasets.folder import endings, find_files, read_folder
from training.errors import DataUnavailable
from training.files import slug

Read = Callable[[Path, Sequence[Path], str], Collection]
"""From the path that was named, its files, and the name of pictures without a class."""


READERS: tuple[tuple[set[str], Read], ...] = (
    (archives.SUFFIXES, archives.read_archives),
    (tables.SUFFIXES, tables.read_tables),
    (arrays.SUFFIXES, arrays.read_arrays),
)


def read_collection(path: Path) -> Collection:
    """The labelled pictures of a folder or a file, or of the files in a folder. Raises DataUnavailable."""
    name = name_of(path)
    if path.is_dir():
        if next(find_files(path, endings()), None) is not None:
            return read_folder(path, name)
        for suffixes, read in READERS:
            if files := [path / file for file in sorted(find_files(path, suffixes))]:
                return read(path, files, name)
        raise DataUnavailable(f"{path} has no images, nor have its sub-folders; put some there, one folder a class")
    if not path.exists():
        raise DataUnavailable(f"{path} is not a folder, nor a file; name an existing one with --data")
    for suffixes, read in READERS:
        if path.suffix.lower() in suffixes:
            return read(path, [path], name)
    known = ", ".join(sorted(ending for suffixes, _ in READERS for ending in suffixes))
    raise DataUnavailable(f"{path} is none of the files that hold a data set ({known}); name another with --data")


def name_of(path: Path) -> str:
    """The slug of the folder's or file's own name. If that has none, as in other scripts, a digest of the name."""
    own = path.resolve().name
    bare = own if path.is_dir() else own.split(".")[0]
    return slug(bare) or f"images-{hashlib.sha256(own.encode('utf-8', 'surrogateescape')).hexdigest()[:6]}"
