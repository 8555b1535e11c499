"""The files of the models folder, and how a generator is opened with its recogniser."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from latent import InvalidRelease, Release
from latent import release as releases
from latent.card import RECOGNISER_SUFFIX, recogniser_path, signature_path
from service.errors import InvalidModel
from service.inference.generator import Generator
from service.inference.recogniser import Recogniser
from service.marks import Mark, mark_of
from service.settings import Device

MOST_BYTES = 2**28
"""Of a file of the folder."""


class Marks(NamedTuple):
    """Of a file and of what belongs to it; None for what is not there."""

    file: Mark
    recogniser: Mark | None = None
    signatures: tuple[Mark | None, ...] = ()


@dataclass(frozen=True, eq=False)
class ModelFile:
    """A generator's file, open, with its recogniser. The service takes both or neither."""

    marks: Marks
    generator: Generator
    recogniser: Recogniser | None

    @property
    def name(self) -> str:
        return self.generator.version.name

    @property
    def digest(self) -> str:
        return self.generator.version.digest

    def __str__(self) -> str:
        return f"a model of digest {self.digest}"


@dataclass(frozen=True, eq=False)
class ReleaseFile:
    """A release file: which version the name means."""

    marks: Marks
    name: str
    release: Release

    def __str__(self) -> str:
        stable, canary = self.release.stable[: releases.SHOWN_DIGITS], self.release.canary
        beside = "" if canary is None else f", canary {canary[: releases.SHOWN_DIGITS]} at {self.release.weight:g}"
        return f"a release: stable {stable}{beside}"


Contents = Mapping[Path, ModelFile | ReleaseFile]


def look(folder: Path) -> dict[Path, Marks]:
    """The marks of generators and release files, in the order of their names. Raises OSError.

    Files whose names begin with a dot are left out: their writers have not renamed them yet.
    """
    found = {}
    for path in sorted(path for path in folder.glob("*") if not path.name.startswith(".")):
        generator = path.name.endswith(".onnx") and not path.name.endswith(RECOGNISER_SUFFIX)
        if (generator or path.name.endswith(releases.SUFFIX)) and mark_of(path) is not None:
            found[path] = marks_of(path)
    return found


def marks_of(path: Path) -> Marks:
    """Raises FileNotFoundError."""
    mark = mark_of(path)
    if mark is None:
        raise FileNotFoundError(path)
    if path.name.endswith(releases.SUFFIX):
        return Marks(mark)
    recogniser = recogniser_path(path)
    signatures = tuple(mark_of(signature_path(one)) for one in (path, recogniser))
    return Marks(mark, mark_of(recogniser), signatures)


def open_file(path: Path, marks: Marks, threads: int, device: Device = "auto") -> ModelFile | ReleaseFile:
    """Read a release file, or open and warm up a generator and its recogniser. Raises InvalidModel."""
    try:
        for one in (path, recogniser_path(path)) if marks.recogniser else (path,):
            check_file(one)
        if path.name.endswith(releases.SUFFIX):
            return ReleaseFile(marks, path.name.removesuffix(releases.SUFFIX), Release.read(path))
        generator = Generator(path, threads, device)
        recogniser = None if marks.recogniser is None else Recogniser(recogniser_path(path), generator, threads)
    except OSError as error:
        raise InvalidModel(f"{path}: the service cannot read a file: {error.strerror}") from error
    except InvalidRelease as error:
        raise InvalidModel(str(error)) from None
    generator.warm_up()
    if recogniser is not None:
        recogniser.warm_up()
    return ModelFile(marks, generator, recogniser)


def check_file(path: Path) -> None:
    """Raises InvalidModel for what is no file of the folder, or too large, and OSError. Nothing is read."""
    target = path.resolve(strict=True)
    if not target.is_relative_to(path.parent.resolve()):
        raise InvalidModel(f"{path}: it is a link out of the folder; copy the file into the folder")
    status = target.stat()
    if not stat.S_ISREG(status.st_mode):
        raise InvalidModel(f"{path} is no regular file")
    if status.st_size > MOST_BYTES:
        raise InvalidModel(f"{path}: it has {status.st_size} bytes, and the service reads at most {MOST_BYTES}")
