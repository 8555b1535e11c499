"""The versions of one name in a models folder: published, promoted and rolled back."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from latent import InvalidRelease, Release
from latent.card import digest_of, files_of, recogniser_path, signature_path
from latent.release import SHOWN_DIGITS, SUFFIX, release_path, version_label
from training.errors import InvalidFolder, InvalidModel, NoSuchVersion
from training.export.model import Model
from training.files import lasting


@dataclass(frozen=True)
class Versions:
    """The versions as they were found in the folder."""

    folder: Path
    name: str
    files: dict[str, Path]
    """By digest."""
    release: Release | None
    """None if there is no file of the name."""

    @classmethod
    def find(cls, folder: Path, name: str) -> "Versions":
        """Raises InvalidFolder."""
        if not folder.is_dir():
            raise InvalidFolder(f"{folder} is not a folder; name the service's models folder with --models")
        generators = [path for path in sorted(folder.glob("*.onnx")) if not path.name.startswith(".")]
        named = [path for path in generators if _name(path) == name]
        files = {digest_of(path): path for path in reversed(named)}
        return cls(folder, name, files, _release(folder, name, files))

    @property
    def stable(self) -> Path:
        """Raises NoSuchVersion and InvalidFolder."""
        return self._file(self.known.stable)

    @property
    def meant(self) -> list[Path]:
        """The files of the stable version and of the canary, if they are there."""
        release = self.release
        return [] if release is None else [self.files[one] for one in _named(release, ()) if one in self.files]

    @property
    def known(self) -> Release:
        """Raises NoSuchVersion."""
        if self.release is None:
            raise NoSuchVersion(
                f"no file in {self.folder} has the name '{self.name}'; publish it first with 'faussaire publish'"
            )
        return self.release

    def publish(
        self, generator: Path, canary: float | None, keep: int, sign: Callable[[Path], None] | None = None
    ) -> "Versions":
        """Add a new version, as the stable one or as a canary of a share of seeds; keep at most `keep` stable versions.

        `sign` writes the signature of a file beside it.

        Raises NoSuchVersion, and InvalidFolder if another process changed the folder meanwhile.
        """
        self.check_may_publish(canary)
        if Versions.find(self.folder, self.name) != self:
            raise InvalidFolder(f"another process changed {self.folder} meanwhile; run the same command again")
        if self.files and not release_path(self.folder, self.name).exists():
            self._write(self.known)  # first: without it, two files of one name are not clear
        mine = digest_of(generator)
        if sign is not None:
            for one in files_of(generator):
                sign(one)
        path = self.files.get(mine) or self.folder / f"{version_label(self.name, mine)}.onnx"
        _put(generator, path, signature_path)
        if mine not in self.files:
            _put(generator, path, Path)
        if canary is not None:
            release = self.known.model_copy(update={"canary": mine, "weight": canary})
        elif self.release is None:
            release = Release(stable=mine)
        else:
            release = _followed_by(self.release, mine)
        release = Release.model_validate(release.model_dump() | {"before": release.before[: keep - 1]})
        after = replace(self, files=self.files | {mine: path})._change(release)
        after._prune()
        return after

    def check_may_publish(self, canary: float | None) -> None:
        """Raises NoSuchVersion and InvalidFolder if a version cannot be published so."""
        if self.release is None and canary is not None:
            raise NoSuchVersion(f"'{self.name}' has no stable version yet; leave --canary out")
        if self.release is not None:
            self._file(self.release.stable)
        if canary is None and self.release is not None and self.release.canary is not None:
            mine = version_label(self.name, self.release.canary)
            raise NoSuchVersion(f"{mine} is still the canary; run 'faussaire promote' or 'faussaire rollback' first")

    def promote(self, weight: float | None) -> "Versions":
        """Make the canary stable, or give it another share of seeds. Raises NoSuchVersion and InvalidFolder."""
        release = self.known
        if release.canary is None:
            raise NoSuchVersion(f"'{self.name}' has no canary; publish one with 'faussaire publish RUN --canary 0.05'")
        self._file(release.canary)
        if weight is not None:
            return self._change(release.model_copy(update={"weight": weight}))
        return self._change(_followed_by(release, release.canary))

    def roll_back(self) -> "Versions":
        """Remove the canary; without one, return to the stable version before. Raises NoSuchVersion."""
        release = self.known
        if release.canary is not None:
            return self._change(release.model_copy(update={"canary": None, "weight": 0.0}))
        before = [digest for digest in release.before if digest in self.files]
        if not before:
            raise NoSuchVersion(
                f"'{self.name}' has no version before {version_label(self.name, release.stable)} in {self.folder}; "
                "publish a better one with 'faussaire publish'"
            )
        return self._change(Release(stable=before[0], before=tuple(before[1:])))

    def _change(self, release: Release) -> "Versions":
        self._write(release)
        return replace(self, release=release)

    def _prune(self) -> None:
        """Remove the files that `publish` wrote and the release no longer names. Other files are not ours."""
        kept = {digest[:SHOWN_DIGITS] for digest in _named(self.known, self.known.before)}
        mine = re.compile(rf"{re.escape(self.name)}@([0-9a-f]{{{SHOWN_DIGITS}}})(\.recogniser)?\.onnx(\.sig)?")
        # A generator sorts before its recogniser, so the service never sees a generator without its recogniser.
        for path in sorted(self.folder.iterdir()):
            found = mine.fullmatch(path.name)
            if found is not None and found[1] not in kept:
                path.unlink()

    def _file(self, wanted: str) -> Path:
        if wanted not in self.files:
            raise InvalidFolder(
                f"{release_path(self.folder, self.name)} names {version_label(self.name, wanted)}, but there is no "
                "such file; bring it back, or run 'faussaire rollback'"
            )
        return self.files[wanted]

    def _write(self, release: Release) -> None:
        with lasting(release_path(self.folder, self.name)) as path:
            path.write_text(release.text(), encoding="utf-8")


def _put(generator: Path, target: Path, part: Callable[[Path], Path]) -> None:
    """Copy that part of a recogniser, and of its generator, to the place of the generator `target`.

    The generator comes last: the service takes all when it appears.
    """
    for source, place in ((recogniser_path(generator), recogniser_path(target)), (generator, target)):
        if part(source).exists():
            with lasting(part(place)) as written:
                shutil.copyfile(part(source), written)


def _followed_by(release: Release, stable: str) -> Release:
    return Release(stable=stable, before=(release.stable, *(one for one in release.before if one != stable)))


def _named(release: Release, before: tuple[str, ...]) -> list[str]:
    return [one for one in (release.stable, release.canary, *before) if one is not None]


def _name(path: Path) -> str | None:
    try:
        return Model(path).card.name
    except InvalidModel:  # a recogniser, or another file
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
            f"{folder} has several files of the name '{name}', {listed}, but no {name}{SUFFIX} says which is meant; "
            f'remove the others, or write one: {{"stable": "DIGEST"}}'
        )
    return Release(stable=next(iter(files))) if files else None
