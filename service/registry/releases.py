"""Which files of the models folder are the versions of which name, and which of them the name means."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from latent import Release
from latent.release import SHOWN_DIGITS, SUFFIX
from service.errors import InvalidModel
from service.registry.folder import Contents, Opened, Told


class Unclear(InvalidModel):
    """Nobody could say what a name means."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


@dataclass(frozen=True)
class Released:
    """The files of one name by their digests, and which of them the name means."""

    files: Mapping[str, Opened]
    release: Release


def released(contents: Contents) -> dict[str, Released]:
    """By name. Raises Unclear for the first name of which it cannot be said."""
    told = {one.name: (path, one.release) for path, one in contents.items() if isinstance(one, Told)}
    files: dict[str, dict[Path, Opened]] = {}
    for path in sorted(contents):
        one = contents[path]
        if isinstance(one, Opened):
            files.setdefault(one.name, {})[path] = one
    for name in told:
        files.setdefault(name, {})
    return {name: _told(name, *told[name], of) if name in told else _alone(name, of) for name, of in files.items()}


def _told(name: str, path: Path, release: Release, files: Mapping[Path, Opened]) -> Released:
    by_digest = {one.runtime.digest: one for one in reversed(list(files.values()))}  # of twins the first
    named = {"stable": release.stable} | ({} if release.canary is None else {"canary": release.canary})
    for role, digest in named.items():
        if digest not in by_digest:
            raise Unclear(
                name,
                f"{path}: no file of the name '{name}' has the digest {digest[:SHOWN_DIGITS]} that it says is {role}; "
                "bring that file back, or 'faussaire rollback'",
            )
    others = (one.runtime.digest for one in files.values())
    return Released({digest: by_digest[digest] for digest in (*named.values(), *others)}, release)


def _alone(name: str, files: Mapping[Path, Opened]) -> Released:
    (first, one), *others = files.items()
    if others:
        second = others[0][0]
        raise Unclear(
            name,
            f"{first} and {second.name} both have the name '{name}' in their cards; take one away, or say which is "
            f'meant in {name}{SUFFIX}: {{"stable": "DIGEST"}}',
        )
    return Released({one.runtime.digest: one}, Release(stable=one.runtime.digest))
