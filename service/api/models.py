"""The generators that are served, by name and version."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Header, Path, Request
from pydantic import BaseModel, Field

from latent import GeneratorCard, Release
from latent.release import SHOWN_DIGITS, version_label
from service.errors import OtherVersion, UnknownModel
from service.http.problems import described
from service.inference.batcher import Batcher
from service.inference.generator import Runtime
from service.inference.recogniser import Recogniser
from service.telemetry.observation import observation_of

Role = Literal["stable", "canary", "other"]

Canary = Annotated[
    Literal["always", "never"] | None,
    Header(
        alias="Faussaire-Canary",
        description="Whether a model's canary draws, where there is one and the request names no version. When absent, "
        "the seed of the first image decides, by the canary's weight.",
    ),
]

ONE_MODEL: dict[int | str, dict[str, Any]] = {
    404: described("No such model"),
    "default": described("Any other error"),  # in its absence FastAPI lists a 422 of another shape, which never comes
}


@dataclass(frozen=True)
class Served:
    runtime: Runtime
    batcher: Batcher
    recogniser: Recogniser | None

    @property
    def version(self) -> str:
        """`mnist-infogan@0123456789ab`"""
        return version_label(self.runtime.card.name, self.runtime.digest)

    @property
    def shown_digest(self) -> str:
        return self.runtime.digest[:SHOWN_DIGITS]


@dataclass(frozen=True)
class Versions:
    """All that is served by one name, and which of them the name means."""

    release: Release
    by_digest: Mapping[str, Served]

    @property
    def stable(self) -> Served:
        return self.by_digest[self.release.stable]

    def chosen(self, seed: int, canary: str | None = None) -> Served:
        """What draws the image of a seed, unless the request says of the canary `always` or `never`."""
        forced = {"always": self.release.canary or self.release.stable, "never": self.release.stable}
        return self.by_digest[forced[canary] if canary else self.release.meant(seed)]

    def of_digest(self, field: str, digits: str) -> Served:
        """By the first digits of the digest, 12 at least. Raises OtherVersion, at fault the `field` that named it."""
        if len(digits) >= SHOWN_DIGITS:
            for digest, served in self.by_digest.items():
                if digest.startswith(digits):
                    return served
        name, known = self.stable.runtime.card.name, ", ".join(one.shown_digest for one in self.by_digest.values())
        raise OtherVersion(field, f"The versions of '{name}' that are served: {known}.")

    def role(self, served: Served) -> Role:
        roles: dict[str | None, Role] = {self.release.canary: "canary", self.release.stable: "stable"}
        return roles.get(served.runtime.digest, "other")

    def weight(self, served: Served) -> float:
        """Its share of seeds."""
        weights = {"canary": self.release.weight, "stable": round(1 - self.release.weight, 9), "other": 0.0}
        return weights[self.role(served)]


@dataclass(frozen=True)
class Catalogue:
    """What is served at one moment; a file that changes makes another catalogue."""

    models: Mapping[str, Versions]
    default: str

    def find(self, asked: str | None) -> Served:
        """The version that is asked for, or the stable one of a name, or of the default.

        Raises UnknownModel and OtherVersion.
        """
        versions, digits = self._named(asked)
        return versions.stable if digits is None else versions.of_digest("model", digits)

    def exactly(self, asked: str | None, digits: str) -> Served:
        """That of a name whose digest begins so. Raises UnknownModel and OtherVersion."""
        versions, own = self._named(asked)
        served = versions.of_digest("version", digits)
        if own is not None and versions.of_digest("model", own) is not served:
            raise OtherVersion("version", f"It is not that of 'model', {asked}; leave one of the two out.")
        return served

    def chosen(self, asked: str | None, seed: int, canary: str | None) -> Served:
        """What draws the image of a seed. Raises UnknownModel and OtherVersion."""
        versions, digits = self._named(asked)
        return versions.chosen(seed, canary) if digits is None else versions.of_digest("model", digits)

    def _named(self, asked: str | None) -> tuple[Versions, str | None]:
        """Of `mnist-infogan@0123456789ab`, what there is by that name, and the digits, if there are any."""
        name, at, digits = (asked or self.default).partition("@")
        versions = self.models.get(name)
        if versions is None:
            raise UnknownModel("model", f"Choose one of: {', '.join(self.models)}.")
        return versions, digits if at else None


class Version(BaseModel):
    digest: str
    role: Role
    weight: float = Field(description="The share of seeds that it draws where the name alone is asked for.")


class Model(BaseModel):
    """A generator that can be asked for."""

    digest: str
    default: bool
    card: GeneratorCard
    versions: list[Version] = Field(description="What can be asked for as `NAME@` and the first 12 digits at least.")


class Models(BaseModel):
    models: list[Model]


async def list_models(request: Request) -> Models:
    """The stable versions' cards of all models, and which versions there are."""
    now = catalogue(request)
    return Models(models=[_described(now, versions.stable) for versions in now.models.values()])


async def get_model(name: Annotated[str, Path(examples=["mnist-infogan"])], request: Request) -> Model:
    """One model's card, or one version's: its latent space, training and measured figures."""
    now = catalogue(request)
    return _described(now, find(request, name))


def catalogue(request: Request) -> Catalogue:
    """What is served now; a request keeps to the one that it asked first."""
    now: Catalogue = request.app.state.registry.now
    return now


def find(request: Request, asked: str | None) -> Served:
    """The version that is asked for, or the stable one of a name. Raises UnknownModel and OtherVersion."""
    served = catalogue(request).find(asked)
    observation_of(request).model = served.runtime.card.name
    return served


def chosen(request: Request, asked: str | None, seed: int, canary: str | None, digits: str | None = None) -> Served:
    """What draws a request whose first image is of that seed. Raises UnknownModel and OtherVersion."""
    now = catalogue(request)
    served = now.chosen(asked, seed, canary) if digits is None else now.exactly(asked, digits)
    observation, name = observation_of(request), served.runtime.card.name
    observation.model, observation.role = name, now.models[name].role(served)
    return served


def _described(now: Catalogue, served: Served) -> Model:
    card, versions = served.runtime.card, now.models[served.runtime.card.name]
    listed = [
        Version(digest=digest, role=versions.role(one), weight=versions.weight(one))
        for digest, one in versions.by_digest.items()
    ]
    return Model(digest=served.runtime.digest, default=card.name == now.default, card=card, versions=listed)
