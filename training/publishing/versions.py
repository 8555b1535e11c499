"""The versions of one name in a models folder: how one is put there, promoted, and rolled back."""

import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from latent import InvalidRelease, Release
from latent.card import recogniser_path
from latent.release import SHOWN_DIGITS, SUFFIX, release_path, version_label
from training.errors import InvalidFolder, InvalidModel, NoSuchVersion
from training.export.model import Model
from training.files import digest, lasting


@dataclass(frozen=True)
class Versions:
    """As they were found."""

    folder: Path
    name: str
    files: dict[str, Path]
    """by digest"""
    release: Release | None
    """None where there is no file of the name"""

    @classmethod
    def find(cls, folder: Path, name: str) -> "Versions":
        """Raises InvalidFolder."""
        if not folder.is_dir():
            raise InvalidFolder(f"{folder} is not a folder; name the one that the service reads with --models")
        generators = [path for path in sorted(folder.glob("*.onnx")) if not path.name.startswith(".")]
        named = [path for path in generators if _name(path) == name]
        files = {digest(path): path for path in reversed(named)}
        return cls(folder, name, files, _release(folder, name, files))

    @property
    def stable(self) -> Path:
        """Raises NoSuchVersion and InvalidFolder."""
        return self._file(self.known.stable)

    @property
    def meant(self) -> list[Path]:
        """The stable version's file and the canary's, as far as they are there."""
        release = self.release
        return [] if release is None else [self.files[one] for one in _named(release, ()) if one in self.files]

    @property
    def known(self) -> Release:
        """Raises NoSuchVersion."""
        if self.release is None:
            raise NoSuchVersion(
                f"nothing in {self.folder} has the name '{self.name}'; publish it first by 'faussaire publish'"
            )
        return self.release

    def published(self, generator: Path, canary: float | None, keep: int) -> "Versions":
        """With a new version, stable or a canary of so many seeds, and `keep` versions at most that are or were stable.

        Raises NoSuchVersion, and InvalidFolder where another changed the folder meanwhile.
        """
        self.check_may_publish(canary)
        if Versions.find(self.folder, self.name) != self:
            raise InvalidFolder(f"{self.folder} was changed meanwhile by another; run the same command again")
        if self.files and not release_path(self.folder, self.name).exists():
            self._write(self.known)  # before there are two files of the name
        mine = digest(generator)
        path = self.files.get(mine) or _put(generator, self.folder / f"{version_label(self.name, mine)}.onnx")
        if canary is not None:
            release = self.known.model_copy(update={"canary": mine, "weight": canary})
        elif self.release is None:
            release = Release(stable=mine)
        else:
            release = _followed_by(self.release, mine)
        release = Release.model_validate(release.model_dump() | {"before": release.before[: keep - 1]})
        after = replace(self, files=self.files | {mine: path})._changed(release)
        after._prune()
        return after

    def check_may_publish(self, canary: float | None) -> None:
        """Raises NoSuchVersion and InvalidFolder."""
        if self.release is None and canary is not None:
            raise NoSuchVersion(f"'{self.name}' has no stable version to be a canary beside; leave --canary out")
        if self.release is not None:
            self._file(self.release.stable)
        if canary is None and self.release is not None and self.release.canary is not None:
            mine = version_label(self.name, self.release.canary)
            raise NoSuchVersion(f"{mine} is the canary still; 'faussaire promote' or 'faussaire rollback' it first")

    def promoted(self, weight: float | None) -> "Versions":
        """The canary is stable, or of so many seeds. Raises NoSuchVersion and InvalidFolder."""
        release = self.known
        if release.canary is None:
            raise NoSuchVersion(f"'{self.name}' has no canary; publish one by 'faussaire publish RUN --canary 0.05'")
        self._file(release.canary)
        if weight is not None:
            return self._changed(release.model_copy(update={"weight": weight}))
        return self._changed(_followed_by(release, release.canary))

    def rolled_back(self) -> "Versions":
        """Without the canary where there is one, else as before the last that became stable. Raises NoSuchVersion."""
        release = self.known
        if release.canary is not None:
            return self._changed(release.model_copy(update={"canary": None, "weight": 0.0}))
        before = [digest for digest in release.before if digest in self.files]
        if not before:
            raise NoSuchVersion(
                f"'{self.name}' has no version before {version_label(self.name, release.stable)} in {self.folder}; "
                "publish a better one by 'faussaire publish'"
            )
        return self._changed(Release(stable=before[0], before=tuple(before[1:])))

    def _changed(self, release: Release) -> "Versions":
        self._write(release)
        return replace(self, release=release)

    def _prune(self) -> None:
        """Take away what `published` put there and the release names no more; what else lies there is not ours."""
        kept = {digest[:SHOWN_DIGITS] for digest in _named(self.known, self.known.before)}
        mine = re.compile(rf"{re.escape(self.name)}@([0-9a-f]{{{SHOWN_DIGITS}}})(\.recogniser)?\.onnx")
        # A generator sorts before its recogniser: the service never sees it alone.
        for path in sorted(self.folder.iterdir()):
            found = mine.fullmatch(path.name)
            if found is not None and found[1] not in kept:
                path.unlink()

    def _file(self, wanted: str) -> Path:
        if wanted not in self.files:
            raise InvalidFolder(
                f"{release_path(self.folder, self.name)} speaks of {version_label(self.name, wanted)}, and no "
                "file is that; bring it back, or 'faussaire rollback'"
            )
        return self.files[wanted]

    def _write(self, release: Release) -> None:
        with lasting(release_path(self.folder, self.name)) as path:
            path.write_text(release.text(), encoding="utf-8")


def _put(generator: Path, path: Path) -> Path:
    """The recogniser first: the service takes a generator with what lies beside it."""
    for source, target in ((recogniser_path(generator), recogniser_path(path)), (generator, path)):
        if source.exists():
            with lasting(target) as written:
                shutil.copyfile(source, written)
    return path


def _followed_by(release: Release, stable: str) -> Release:
    return Release(stable=stable, before=(release.stable, *(one for one in release.before if one != stable)))


def _named(release: Release, before: tuple[str, ...]) -> list[str]:
    return [one for one in (release.stable, release.canary, *before) if one is not None]


def _name(path: Path) -> str | None:
    try:
        return Model(path).card.name
    except InvalidModel:  # a recogniser, or nothing that could be published
        return None


def _release(folder: Path, name: str, files: dict[str, Path]) -> Release | None:
    path = release_path(folder, name)
    if path.exists():
        try:
            return Release.read(path)
        except InvalidRelease as error:
            raise InvalidFolder(str(error)) from None
    if len(files) > 1:
        listed = ", ".join(sorted(file.name for file in files.values()))
        raise InvalidFolder(
            f"{folder} has several files of the name '{name}', {listed}, and no {name}{SUFFIX} says which is meant; "
            f'take the others away, or write one: {{"stable": "DIGEST"}}'
        )
    return Release(stable=next(iter(files))) if files else None
