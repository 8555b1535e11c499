"""The generators that are served, by name."""

from dataclasses import dataclass

from fastapi import Request
from pydantic import BaseModel

from latent import GeneratorCard
from service.batcher import Batcher
from service.errors import UnknownModel
from service.runtime import Runtime

SHOWN_DIGITS = 12
"""of a digest, in headers and where a request names one"""


@dataclass(frozen=True)
class Served:
    runtime: Runtime
    batcher: Batcher

    @property
    def version(self) -> str:
        """`mnist-infogan@0123456789ab`"""
        return f"{self.runtime.card.name}@{self.runtime.digest[:SHOWN_DIGITS]}"


class Model(BaseModel):
    """A generator that can be asked for."""

    digest: str
    default: bool
    card: GeneratorCard


class Models(BaseModel):
    models: list[Model]


async def list_models(request: Request) -> Models:
    """The cards of all models."""
    return Models(models=[_described(request, served) for served in request.app.state.models.values()])


async def get_model(name: str, request: Request) -> Model:
    """One model's card: its latent space, training and measured figures."""
    return _described(request, find(request, name))


def find(request: Request, name: str | None) -> Served:
    """The model by name, or the default. Raises UnknownModel."""
    models: dict[str, Served] = request.app.state.models
    served = models.get(name or request.app.state.default)
    if served is None:
        raise UnknownModel("model", f"Choose one of: {', '.join(models)}.")
    return served


def _described(request: Request, served: Served) -> Model:
    card = served.runtime.card
    default = card.name == request.app.state.default
    return Model(digest=served.runtime.digest, default=default, card=card)
