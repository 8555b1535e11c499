"""The generators that are served, by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import BaseModel

from latent import GeneratorCard
from service.batcher import Batcher
from service.errors import UnknownModel
from service.observation import observation_of
from service.problems import described
from service.recogniser import Recogniser
from service.runtime import Runtime

SHOWN_DIGITS = 12
"""of a digest, in headers and where a request names one"""

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
        return f"{self.runtime.card.name}@{self.shown_digest}"

    @property
    def shown_digest(self) -> str:
        return self.runtime.digest[:SHOWN_DIGITS]


@dataclass(frozen=True)
class Catalogue:
    """What is served at one moment; a file that changes makes another catalogue."""

    models: Mapping[str, Served]
    default: str

    def find(self, name: str | None) -> Served:
        """The model by name, or the default. Raises UnknownModel."""
        served = self.models.get(name or self.default)
        if served is None:
            raise UnknownModel("model", f"Choose one of: {', '.join(self.models)}.")
        return served


class Model(BaseModel):
    """A generator that can be asked for."""

    digest: str
    default: bool
    card: GeneratorCard


class Models(BaseModel):
    models: list[Model]


async def list_models(request: Request) -> Models:
    """The cards of all models."""
    now = catalogue(request)
    return Models(models=[_described(now, served) for served in now.models.values()])


async def get_model(name: Annotated[str, Path(examples=["mnist-infogan"])], request: Request) -> Model:
    """One model's card: its latent space, training and measured figures."""
    now = catalogue(request)
    return _described(now, find(request, name))


def catalogue(request: Request) -> Catalogue:
    """What is served now; a request keeps to the one that it asked first."""
    now: Catalogue = request.app.state.registry.now
    return now


def find(request: Request, name: str | None) -> Served:
    """The model by name, or the default. Raises UnknownModel."""
    served = catalogue(request).find(name)
    observation_of(request).model = served.runtime.card.name
    return served


def _described(now: Catalogue, served: Served) -> Model:
    card = served.runtime.card
    return Model(digest=served.runtime.digest, default=card.name == now.default, card=card)
