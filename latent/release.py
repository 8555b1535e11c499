"""Which file a model's name means where several have that name: `NAME.release.json` beside them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, model_validator

from latent.card import Digest, GeneratorCard
from latent.faults import explain
from latent.space import Part, Share

SUFFIX = ".release.json"

SHOWN_DIGITS = 12
"""of a digest, in a version's name: `mnist-infogan@0123456789ab`"""


class InvalidRelease(ValueError):
    """The file is not a release; the message names the file and the field."""


class Release(Part):
    """The versions of one name, each by the SHA-256 of its file."""

    stable: Digest
    canary: Digest | None = None
    weight: Share = Field(default=0, description="Share of all seeds that the canary draws.")
    before: tuple[Digest, ...] = Field(default=(), description="What was stable before, the newest first.")

    @model_validator(mode="after")
    def _is_of_two_versions(self) -> Self:
        if self.canary is None and self.weight:
            raise ValueError("a weight is a canary's, and there is none")
        if self.canary == self.stable:
            raise ValueError("the canary is the stable version")
        return self

    def meant(self, seed: int) -> str:
        """The digest of the version that draws what this seed decides.

        It is a function of the canary and the seed, so that the same request gives the same bytes. A seed that is the
        canary's at one weight is so at any larger one, and another canary has other seeds.
        """
        if self.canary is None:
            return self.stable
        drawn = int.from_bytes(hashlib.sha256(f"{self.canary} {seed}".encode()).digest()[:8], "big")
        return self.canary if drawn < self.weight * 2**64 else self.stable

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidRelease, and OSError where the file cannot be read."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InvalidRelease(
                f"{path}: {explain(error)}; put it right, or take it away where one file alone has the name"
            ) from None

    def text(self) -> str:
        return self.model_dump_json(indent=2, exclude_none=True) + "\n"


def release_path(folder: Path, name: str) -> Path:
    return folder / f"{name}{SUFFIX}"


def version_label(name: str, digest: str) -> str:
    """The name and the first digits of the digest: `mnist-infogan@0123456789ab`."""
    return f"{name}@{digest[:SHOWN_DIGITS]}"


@dataclass(frozen=True)
class ModelVersion:
    """One generator's file: its card, and the SHA-256 of its bytes."""

    card: GeneratorCard
    digest: str

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def label(self) -> str:
        """`mnist-infogan@0123456789ab`"""
        return version_label(self.name, self.digest)
