"""Which files of the models folder are versions of which name, and which version the name means."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latent import Release
from latent.release import SHOWN_DIGITS, SUFFIX
from service.errors import InvalidModel
from service.registry.folder import Contents, ModelFile, ReleaseFile


class UnclearName(InvalidModel):
    """A name that may mean several files, or a missing one."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Named:
    """The files of one name by their digests, and which of them the name means."""

    files: Mapping[str, ModelFile]
    release: Release


def resolve_names(contents: Contents) -> dict[str, Named]:
    """The files of each name. Raises UnclearName for the first name that is not clear."""
    releases = {file.name: (path, file.release) for path, file in contents.items() if isinstance(file, ReleaseFile)}
    files: dict[str, dict[Path, ModelFile]] = {}
    for path in sorted(contents):
        file = contents[path]
        if isinstance(file, ModelFile):
            files.setdefault(file.name, {})[path] = file
    for name in releases:
        files.setdefault(name, {})
    return {
        name: _resolve_release(name, *releases[name], named) if name in releases else _resolve_single(name, named)
        for name, named in files.items()
    }


def _resolve_release(name: str, path: Path, release: Release, files: Mapping[Path, ModelFile]) -> Named:
    by_digest = {file.digest: file for file in reversed(list(files.values()))}  # of equal files the first
    roles = {"stable": release.stable} | ({} if release.canary is None else {"canary": release.canary})
    for role, digest in roles.items():
        if digest not in by_digest:
            raise UnclearName(
                name,
                f"{path}: the {role} version is {digest[:SHOWN_DIGITS]}, but no file of the name '{name}' has this "
                "digest; bring the file back, or run 'faussaire rollback'",
            )
    others = (file.digest for file in files.values())
    return Named({digest: by_digest[digest] for digest in (*roles.values(), *others)}, release)


def _resolve_single(name: str, files: Mapping[Path, ModelFile]) -> Named:
    (first, file), *others = files.items()
    if others:
        second = others[0][0]
        raise UnclearName(
            name,
            f"{first} and {second.name} both have the name '{name}' in their cards; remove one, or say which version "
            f'the name means in {name}{SUFFIX}: {{"stable": "DIGEST"}}',
        )
    return Named({file.digest: file}, Release(stable=file.digest))
