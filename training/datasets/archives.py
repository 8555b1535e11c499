"""Pictures in tar and zip files: WebDataset's pairs of a picture and its class, or a folder for each class."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from training.datasets.collection import Collection, by_folder, name_class, split_of
from training.datasets.folder import endings, is_passed_over
from training.datasets.pictures import Picture
from training.errors import DataUnavailable

SUFFIXES = {".tar", ".tgz", ".gz", ".zip"}
CLASS = ".cls"


def read_archives(where: Path, files: Sequence[Path], name: str) -> Collection:
    """The pictures of one or several archives of a data set. Raises DataUnavailable."""
    opened = [(file, dict(_members(file))) for file in files]
    if any(_suffixes(path)[1] == CLASS for _, members in opened for path in members):
        parts: dict[str, list[Picture]] = {}
        for file, members in opened:
            parts.setdefault(split_of(file.name), []).extend(_pairs(file, members))
        return Collection.split(where, parts)
    splits = {file: split_of(file.name) for file in files}
    parted = len(set(splits.values())) > 1
    found = (
        (PurePosixPath(splits[file]) / path if parted else path, _picture(file, path, content))
        for file, members in opened
        for path, content in members.items()
    )
    return by_folder(where, name, found)


def _members(file: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The pictures and classes in an archive. Raises DataUnavailable."""
    wanted = endings() | {CLASS}
    try:
        for name, content in _unzipped(file) if zipfile.is_zipfile(file) else _untarred(file):
            path = PurePosixPath(name)
            if path.suffix.lower() in wanted and not any(map(is_passed_over, path.parts)):
                yield path, content.read()
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DataUnavailable(
            f"{file} cannot be read as a tar or zip file: it ends early, is damaged or locked; replace it"
        ) from error


def _untarred(file: Path) -> Iterator[tuple[str, io.BufferedIOBase]]:
    with tarfile.open(file) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None:
                yield member.name, content  # type: ignore[misc]


def _unzipped(file: Path) -> Iterator[tuple[str, io.BufferedIOBase]]:
    with zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if not member.is_dir():
                with archive.open(member) as content:
                    yield member.filename.replace("\\", "/"), content  # type: ignore[misc] # as .NET wrote them once


def _pairs(file: Path, members: dict[PurePosixPath, bytes]) -> Iterator[Picture]:
    """Pictures, each with the class in the file of the same name up to its first dot."""
    labels = {_suffixes(path)[0]: content for path, content in members.items() if _suffixes(path)[1] == CLASS}
    for path, content in sorted(members.items()):
        key, suffix = _suffixes(path)
        if suffix == CLASS:
            continue
        where = f"{file}, {path}"
        if key not in labels:
            raise DataUnavailable(f"{where} has no {key}{CLASS} beside it that says its class; add it")
        label = name_class(labels[key].decode("utf-8", "surrogateescape").strip(), where)
        yield Picture(str(path), label, content, where)


def _suffixes(path: PurePosixPath) -> tuple[str, str]:
    """What precedes the first dot of the name, which is the key of a sample, and the last suffix."""
    return str(path.with_name(path.name.split(".")[0])), path.suffix.lower()


def _picture(file: Path, path: PurePosixPath, content: bytes) -> Picture:
    return Picture(str(path), "", content, f"{file}, {path}")
