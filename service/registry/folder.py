"""The models folder: its files, and how a generator is opened with the recogniser beside it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from latent import InvalidRelease, Release
from latent import release as releases
from latent.card import RECOGNISER_SUFFIX, recogniser_path
from service.errors import InvalidModel
from service.inference.generator import Runtime
from service.inference.recogniser import Recogniser
from service.inference.session import Device


class Mark(NamedTuple):
    """What changes with a file's content: a writer that renames into place gives another inode at the least."""

    bytes: int
    modified_ns: int
    inode: int


Marks = tuple[Mark, Mark | None]
"""A file's, and where it is a generator that of the recogniser beside it."""


@dataclass(frozen=True, eq=False)
class Opened:
    """A generator with its recogniser: of a new pair, both are served or neither."""

    marks: Marks
    runtime: Runtime
    recogniser: Recogniser | None

    @property
    def name(self) -> str:
        return self.runtime.card.name

    def __str__(self) -> str:
        return f"served, with the digest {self.runtime.digest}"


@dataclass(frozen=True, eq=False)
class Told:
    """What a release file says of the name that it has."""

    marks: Marks
    name: str
    release: Release

    def __str__(self) -> str:
        stable, canary = self.release.stable[: releases.SHOWN_DIGITS], self.release.canary
        beside = "" if canary is None else f", canary {canary[: releases.SHOWN_DIGITS]} at {self.release.weight:g}"
        return f"followed: stable {stable}{beside}"


Contents = Mapping[Path, Opened | Told]


def look(folder: Path) -> dict[Path, Marks]:
    """Generators and release files in the order of their names. Raises OSError where one cannot be seen.

    What begins with a dot is still being written, and will be renamed.
    """
    found = {}
    for path in sorted(path for path in folder.glob("*") if not path.name.startswith(".")):
        if path.name.endswith(".onnx") and not path.name.endswith(RECOGNISER_SUFFIX):
            mark, beside = _mark(path), _mark(recogniser_path(path))
        elif path.name.endswith(releases.SUFFIX):
            mark, beside = _mark(path), None
        else:
            continue
        if mark is not None:
            found[path] = (mark, beside)
    return found


def open_file(path: Path, marks: Marks, threads: int, device: Device = "auto") -> Opened | Told:
    """What a release file says; or a generator, and its recogniser if it has one, warmed up. Raises InvalidModel."""
    try:
        if path.name.endswith(releases.SUFFIX):
            return Told(marks, path.name.removesuffix(releases.SUFFIX), Release.read(path))
        runtime = Runtime(path, threads, device)
        recogniser = None if marks[1] is None else Recogniser(recogniser_path(path), runtime, threads)
    except OSError as error:
        raise InvalidModel(f"{path}: a file cannot be read: {error.strerror}") from error
    except InvalidRelease as error:
        raise InvalidModel(str(error)) from None
    runtime.warm_up()
    if recogniser is not None:
        recogniser.warm_up()
    return Opened(marks, runtime, recogniser)


def open_folder(folder: Path, threads: int, device: Device = "auto") -> dict[Path, Opened | Told]:
    """All that a folder has. Raises InvalidModel where a file is not valid."""
    opened = {path: open_file(path, marks, threads, device) for path, marks in look(folder).items()}
    if not any(isinstance(one, Opened) for one in opened.values()):
        raise InvalidModel(
            f"{folder} has no .onnx file; export one with 'faussaire export' or set FAUSSAIRE_MODELS_DIR"
        )
    return opened


def _mark(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Mark(status.st_size, status.st_mtime_ns, status.st_ino)
