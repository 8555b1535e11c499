"""What all requests share while the service runs, and how a request finds its model there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import FastAPI, Header, Request

from service.encoding.cache import Cache
from service.encoding.streaming import Streams
from service.reading.worker import Worker
from service.registry.catalogue import Catalogue, Served
from service.registry.registry import Registry
from service.registry.watch import Watch
from service.settings import Settings
from service.telemetry.observation import observation_of

UPLOADS_WAITING = 64
"""The most image files that may wait to be read."""

Canary = Annotated[
    Literal["always", "never"] | None,
    Header(
        alias="Faussaire-Canary",
        description="Whether the model's canary draws, if there is one and the request names no version. If absent, "
        "the seed of the first image decides, by the canary's weight.",
    ),
]


@dataclass(frozen=True)
class Context:
    settings: Settings
    registry: Registry
    cache: Cache
    streams: Streams
    reading: Worker
    """Reads uploaded images."""

    @property
    def catalogue(self) -> Catalogue:
        """What the service serves now. A request keeps to the first catalogue that it asked."""
        return self.registry.now


@asynccontextmanager
async def open_context(app: FastAPI, settings: Settings) -> AsyncIterator[Context]:
    """Open the models and follow their folder, until the service ends. Raises InvalidModel."""
    async with AsyncExitStack() as stack:
        reading = stack.enter_context(Worker("codes", UPLOADS_WAITING))
        registry = await stack.enter_async_context(Registry(settings))
        await stack.enter_async_context(Watch(registry.refresh, settings.watch_seconds))
        context = Context(settings, registry, Cache(settings.cache_bytes), Streams(settings.max_streams), reading)
        app.state.context = context
        yield context


def context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


def choose_version(request: Request, asked: str | None, seed: int, canary: str | None) -> Served:
    """The version that draws a request whose first image has this seed. Raises UnknownModel and OtherVersion."""
    catalogue = context_of(request).catalogue
    return observe_version(request, catalogue, catalogue.choose(asked, seed, canary))


def observe_version(request: Request, catalogue: Catalogue, served: Served) -> Served:
    """Note in the request's observation which version draws."""
    observation, name = observation_of(request), served.version.name
    observation.model, observation.role = name, catalogue.models[name].role(served)
    return served
