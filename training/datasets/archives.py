"""Pictures in tar and zip files: WebDataset's pairs of a picture and its class, or a folder for each class."""

import io
import tarfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from training.datasets.collection import Collection, by_folder, name_class, split_of
from training.datasets.folder import endings, is_passed_over
from training.datasets.pictures import Picture
from training.errors import DataUnavailable

SUFFIXES = {".tar", ".tgz", ".gz", ".zip"}
CLASS = ".cls"
OTHERS = {".index", ".json", ".txt"}
"""What else may stand beside each picture. Only one of these says a class: `.index`, by a number."""
BESIDE = OTHERS | {CLASS}


def read_archives(where: Path, files: Sequence[Path], name: str) -> Collection:
    """The pictures of one or several archives of a data set. Raises DataUnavailable."""
    opened = [(file, dict(_members(file))) for file in files]
    kind = _class_suffix(opened)
    if kind is not None:
        parts: dict[str, list[Picture]] = {}
        for file, members in opened:
            parts.setdefault(split_of(file.name), []).extend(_pairs(file, members, kind))
        return Collection.split(where, parts)
    splits = {file: split_of(file.name) for file in files}
    parted = len(set(splits.values())) > 1
    found = (
        (PurePosixPath(splits[file]) / path if parted else path, _picture(file, path, content))
        for file, members in opened
        for path, content in members.items()
        if _suffixes(path)[1] not in OTHERS
    )
    return by_folder(where, name, found)


def _members(file: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The pictures and classes in an archive. Raises DataUnavailable."""
    wanted = endings() | BESIDE
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


def _class_suffix(opened: Sequence[tuple[Path, Mapping[PurePosixPath, bytes]]]) -> str | None:
    """The suffix of the files that say the classes; None if folders do. Raises DataUnavailable."""
    kinds: set[str] = set()
    for file, members in opened:
        beside: dict[str, set[str]] = {}
        for path in members:
            key, suffix = _suffixes(path)
            beside.setdefault(key, set()).add(suffix)
        pictured = [suffixes for suffixes in beside.values() if suffixes - BESIDE]
        kinds |= {suffix for suffixes in pictured for suffix in suffixes & BESIDE}
        named = any(len(path.parts) > 1 for path in members)
        if kinds and not named and not kinds & {CLASS, ".index"}:
            raise DataUnavailable(
                f"{file}: beside its pictures are {' and '.join(sorted(kinds))} files, which may say anything; write "
                f"the class of each picture to a file {CLASS} beside it, or put them into a folder for each class"
            )
    return CLASS if CLASS in kinds else ".index" if ".index" in kinds else None


def _pairs(file: Path, members: Mapping[PurePosixPath, bytes], kind: str) -> Iterator[Picture]:
    """Pictures, each with the class in the file of the same name up to its first dot."""
    labels = {_suffixes(path)[0]: content for path, content in members.items() if _suffixes(path)[1] == kind}
    for path, content in sorted(members.items()):
        key, suffix = _suffixes(path)
        if suffix in BESIDE:
            continue
        where = f"{file}, {path}"
        if key not in labels:
            raise DataUnavailable(f"{where} has no {key}{kind} beside it that says its class; add it")
        label = name_class(labels[key].decode("utf-8", "surrogateescape").strip(), where)
        yield Picture(str(path), label, content, where)


def _suffixes(path: PurePosixPath) -> tuple[str, str]:
    """What precedes the first dot of the name, which is the key of a sample, and the last suffix."""
    suffix = CLASS if path.name.lower().endswith(f"{CLASS}.txt") else path.suffix.lower()
    return str(path.with_name(path.name.split(".")[0])), suffix


def _picture(file: Path, path: PurePosixPath, content: bytes) -> Picture:
    return Picture(str(path), "", content, f"{file}, {path}")
