"""The models folder: its files, and how a generator is opened with the recogniser beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from service.errors import InvalidModel
from service.recogniser import SUFFIX, Recogniser
from service.runtime import Runtime
from service.session import Device


class Mark(NamedTuple):
    """What changes with a file's content: a writer that renames into place gives another inode at the least."""

    bytes: int
    modified_ns: int
    inode: int


Marks = tuple[Mark, Mark | None]
"""A generator's, and that of the recogniser beside it."""


@dataclass(frozen=True)
class Opened:
    """A generator with its recogniser: of a new pair, both are served or neither."""

    marks: Marks
    runtime: Runtime
    recogniser: Recogniser | None

    @property
    def name(self) -> str:
        return self.runtime.card.name


def look(folder: Path) -> dict[Path, Marks]:
    """The generators of a folder in the order of their file names. Raises OSError where one cannot be seen."""
    found = {}
    for path in sorted(p for p in folder.glob("*.onnx") if not p.name.endswith(SUFFIX)):
        mark = _mark(path)
        if mark is not None:
            found[path] = (mark, _mark(path.with_suffix(SUFFIX)))
    return found


def open_file(path: Path, marks: Marks, threads: int, device: Device = "auto") -> Opened:
    """A generator, and its recogniser if it has one, warmed up. Raises InvalidModel."""
    try:
        runtime = Runtime(path, threads, device)
        recogniser = None if marks[1] is None else Recogniser(path.with_suffix(SUFFIX), runtime, threads)
    except OSError as error:
        raise InvalidModel(f"{path}: a file cannot be read: {error.strerror}") from error
    runtime.warm_up()
    if recogniser is not None:
        recogniser.warm_up()
    return Opened(marks, runtime, recogniser)


def open_folder(folder: Path, threads: int, device: Device = "auto") -> dict[Path, Opened]:
    """All of a folder's generators. Raises InvalidModel where one is not valid, or two have one name."""
    opened: dict[Path, Opened] = {}
    for path, marks in look(folder).items():
        opened[path] = open_file(path, marks, threads, device)
        if clashing(opened) is not None:
            raise InvalidModel(f"{path}: {taken_name(opened[path])}")
    if not opened:
        raise InvalidModel(
            f"{folder} has no .onnx file; export one with 'faussaire export' or set FAUSSAIRE_MODELS_DIR"
        )
    return opened


def clashing(opened: dict[Path, Opened]) -> list[Path] | None:
    """Some files whose cards have one name, if there are any."""
    by_name: dict[str, list[Path]] = {}
    for path, one in opened.items():
        by_name.setdefault(one.name, []).append(path)
    return next((paths for paths in by_name.values() if len(paths) > 1), None)


def taken_name(opened: Opened) -> str:
    return f"another file's card has the name '{opened.name}' too"


def _mark(path: Path) -> Mark | None:
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return Mark(status.st_size, status.st_mtime_ns, status.st_ino)
