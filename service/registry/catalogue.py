"""The generators that are served, by name and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from latent import ModelVersion, Release
from latent.release import SHOWN_DIGITS
from service.errors import OtherVersion, UnknownModel
from service.inference.batcher import Batcher
from service.inference.generator import Generator
from service.inference.recogniser import Recogniser

Role = Literal["stable", "canary", "other"]


@dataclass(frozen=True)
class Served:
    """One version of a model, with all that answers for it."""

    generator: Generator
    batcher: Batcher
    recogniser: Recogniser | None

    @property
    def version(self) -> ModelVersion:
        return self.generator.version

    @property
    def shown_digest(self) -> str:
        return self.version.digest[:SHOWN_DIGITS]


@dataclass(frozen=True)
class Versions:
    """The versions of one name, and which of them the name means."""

    release: Release
    by_digest: Mapping[str, Served]

    @property
    def stable(self) -> Served:
        return self.by_digest[self.release.stable]

    def choose(self, seed: int, canary: str | None = None) -> Served:
        """The version that draws a seed. With `canary`, `always` or `never`, the request decides instead."""
        forced = {"always": self.release.canary or self.release.stable, "never": self.release.stable}
        return self.by_digest[forced[canary] if canary else self.release.meant(seed)]

    def of_digest(self, field: str, digits: str) -> Served:
        """The version whose digest begins with `digits`, 12 at least. Raises OtherVersion with the `field`."""
        if len(digits) >= SHOWN_DIGITS:
            for digest, served in self.by_digest.items():
                if digest.startswith(digits):
                    return served
        known = ", ".join(served.shown_digest for served in self.by_digest.values())
        raise OtherVersion(field, f"The service has these versions of '{self.stable.version.name}': {known}.")

    def role(self, served: Served) -> Role:
        roles: dict[str | None, Role] = {self.release.canary: "canary", self.release.stable: "stable"}
        return roles.get(served.version.digest, "other")

    def weight(self, served: Served) -> float:
        """The share of seeds that a version draws."""
        weights = {"canary": self.release.weight, "stable": round(1 - self.release.weight, 9), "other": 0.0}
        return weights[self.role(served)]


@dataclass(frozen=True)
class Catalogue:
    """All models that are served at one moment. A file that changes makes another catalogue."""

    models: Mapping[str, Versions]
    default: str

    def find(self, asked: str | None) -> Served:
        """The asked version, or the stable version of the asked name, or of the default.

        Raises UnknownModel and OtherVersion.
        """
        versions, digits = self._find_versions(asked)
        return versions.stable if digits is None else versions.of_digest("model", digits)

    def find_version(self, asked: str | None, digits: str) -> Served:
        """The version of the asked name whose digest begins with `digits`. Raises UnknownModel and OtherVersion."""
        versions, own = self._find_versions(asked)
        served = versions.of_digest("version", digits)
        if own is not None and versions.of_digest("model", own) is not served:
            raise OtherVersion("version", f"'model' asks for another version, {asked}; leave one of the two out.")
        return served

    def choose(self, asked: str | None, seed: int, canary: str | None) -> Served:
        """The asked version, or the one that the release lets draw a seed. Raises UnknownModel and OtherVersion."""
        versions, digits = self._find_versions(asked)
        return versions.choose(seed, canary) if digits is None else versions.of_digest("model", digits)

    def of_digest(self, digest: str) -> Served | None:
        """The version with this very digest, whatever its name."""
        return next((one.by_digest[digest] for one in self.models.values() if digest in one.by_digest), None)

    def _find_versions(self, asked: str | None) -> tuple[Versions, str | None]:
        """The versions of `mnist-infogan@0123456789ab` by name, and the digits if there are any."""
        name, at, digits = (asked or self.default).partition("@")
        versions = self.models.get(name)
        if versions is None:
            raise UnknownModel("model", f"Choose one of: {', '.join(self.models)}.")
        return versions, digits if at else None
