"""`GET /v1/models` and `GET /v1/models/{name}`: the cards of the models, and their versions."""

from typing import Any

from pydantic import BaseModel, Field

from latent import GeneratorCard
from service.api.context import context_of
from service.http.problems import describe
from service.http.request import Answer, Request, answer_of
from service.registry.catalogue import Catalogue, Role, Served

ANSWERS: dict[int, dict[str, Any]] = {404: describe("There is no such model")}


NAME = {"title": "Name", "type": "string", "examples": ["mnist-infogan"]}
"""JSON Schema of the part of the path."""


class Version(BaseModel):
    digest: str
    role: Role
    weight: float = Field(description="The share of seeds that this version draws if a request asks for the name.")


class Model(BaseModel):
    """A generator that a request may ask for."""

    digest: str
    default: bool
    recogniser: bool = Field(description="Whether `POST /v1/codes` reads the codes of any picture for this model.")
    card: GeneratorCard
    versions: list[Version] = Field(description="A request may ask for each as `NAME@` and its first 12 digits.")


class Models(BaseModel):
    models: list[Model]


async def list_models(request: Request, _: None) -> Answer:
    """List all models: the card of each stable version, and which versions there are."""
    catalogue = context_of(request).catalogue
    listed = [_describe(catalogue, versions.stable) for versions in catalogue.models.values()]
    return answer_of(Models(models=listed), with_none=True)


async def get_model(request: Request, name: str) -> Answer:
    """Get the card of a model, or of one version: its latent space, training and measured figures."""
    catalogue = context_of(request).catalogue
    served = catalogue.find(name)
    request.observation.model = served.version.name
    return answer_of(_describe(catalogue, served), with_none=True)


def _describe(catalogue: Catalogue, served: Served) -> Model:
    card, versions = served.version.card, catalogue.models[served.version.name]
    listed = [
        Version(digest=digest, role=versions.role(one), weight=versions.weight(one))
        for digest, one in versions.by_digest.items()
    ]
    default = card.name == catalogue.default
    return Model(
        digest=served.version.digest,
        default=default,
        recogniser=served.recogniser is not None,
        card=card,
        versions=listed,
    )
