"""`GET /v1/models` and `GET /v1/models/{name}`: the cards of the models, and their versions."""

from typing import Annotated, Any

from fastapi import Path, Request
from pydantic import BaseModel, Field

from latent import GeneratorCard
from service.api.context import context_of
from service.http.problems import describe
from service.registry.catalogue import Catalogue, Role, Served
from service.telemetry.observation import observation_of

ANSWERS: dict[int | str, dict[str, Any]] = {
    404: describe("There is no such model"),
    "default": describe("Any other error"),  # without it FastAPI lists a 422 of another shape, which never comes
}


class Version(BaseModel):
    digest: str
    role: Role
    weight: float = Field(description="The share of seeds that this version draws if a request asks for the name.")


class Model(BaseModel):
    """A generator that a request may ask for."""

    digest: str
    default: bool
    card: GeneratorCard
    versions: list[Version] = Field(description="A request may ask for each as `NAME@` and its first 12 digits.")


class Models(BaseModel):
    models: list[Model]


async def list_models(request: Request) -> Models:
    """List all models: the card of each stable version, and which versions there are."""
    catalogue = context_of(request).catalogue
    return Models(models=[_describe(catalogue, versions.stable) for versions in catalogue.models.values()])


async def get_model(name: Annotated[str, Path(examples=["mnist-infogan"])], request: Request) -> Model:
    """Get the card of a model, or of one version: its latent space, training and measured figures."""
    catalogue = context_of(request).catalogue
    served = catalogue.find(name)
    observation_of(request).model = served.version.name
    return _describe(catalogue, served)


def _describe(catalogue: Catalogue, served: Served) -> Model:
    card, versions = served.version.card, catalogue.models[served.version.name]
    listed = [
        Version(digest=digest, role=versions.role(one), weight=versions.weight(one))
        for digest, one in versions.by_digest.items()
    ]
    default = card.name == catalogue.default
    return Model(digest=served.version.digest, default=default, card=card, versions=listed)
