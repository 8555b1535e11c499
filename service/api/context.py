"""What all requests share while the service runs, and how a request finds its model there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal, get_args

from service.access.keyring import Keyring
from service.encoding.cache import Cache
from service.encoding.streaming import Streams
from service.errors import InvalidField, QuotaSpent, RateExceeded
from service.http.request import Request
from service.registry.catalogue import Catalogue, Served
from service.registry.registry import Registry
from service.registry.trial import Try, trust
from service.registry.watch import Watch
from service.settings import Settings
from service.telemetry import metrics
from service.worker import Worker, usable_processors

UPLOADS_WAITING = 64
"""The most image files that may wait to be read."""

Canary = Literal["always", "never"]

CANARY = b"faussaire-canary"

CANARY_PARAMETER: dict[str, Any] = {
    "name": "Faussaire-Canary",
    "in": "header",
    "required": False,
    "schema": {"enum": list(get_args(Canary)), "type": "string"},
    "description": "Whether the model's canary draws, if there is one and the request names no version. If absent, the "
    "seed of the first image decides, by the canary's weight.",
}
"""The header, for OpenAPI."""


ENCODING_THREADS = 4
"""The most threads that encode, each of which may hold tens of megabytes."""

ENCODINGS_WAITING = 256
"""The most answers that may wait to be encoded."""


@dataclass(frozen=True)
class Context:
    settings: Settings
    registry: Registry
    cache: Cache
    streams: Streams
    reading: Worker
    """Reads uploaded images."""
    encoding: Worker
    """Plans and encodes what takes long."""

    @property
    def catalogue(self) -> Catalogue:
        """What the service serves now. A request keeps to the first catalogue that it asked."""
        return self.registry.now


@asynccontextmanager
async def open_context(
    settings: Settings, try_files: Try = trust, keyring: Keyring | None = None
) -> AsyncIterator[Context]:
    """Open the models and follow their folder and the file of the keys, until the service ends. Raises InvalidModel."""
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(metrics.writing())
        reading = stack.enter_context(Worker("reading", UPLOADS_WAITING))
        threads = min(ENCODING_THREADS, usable_processors())
        encoding = stack.enter_context(Worker("encoding", ENCODINGS_WAITING, threads))
        registry = await stack.enter_async_context(Registry(settings, try_files))
        metrics.reserve()

        async def look() -> bool:
            if keyring is not None:
                keyring.refresh()
            return await registry.refresh()

        await stack.enter_async_context(Watch(look, settings.watch_seconds))
        yield Context(settings, registry, Cache(settings.cache_bytes), Streams(settings.max_streams), reading, encoding)


def context_of(request: Request) -> Context:
    context: Context = request.context
    return context


def choose_version(request: Request, asked: str | None, seed: int) -> Served:
    """The version that draws a request whose first image has this seed.

    Raises UnknownModel, OtherVersion, and InvalidField for the header.
    """
    catalogue = context_of(request).catalogue
    return observe_version(request, catalogue, catalogue.choose(asked, seed, _canary(request)))


def charge(request: Request, images: int) -> None:
    """Note how many images the request asks for, and let its key pay for them. Raises RateExceeded and QuotaSpent."""
    request.observation.images = images
    if request.account is not None:
        try:
            request.account.spend(images)
        except (RateExceeded, QuotaSpent):
            request.observation.over_limit = True
            raise
        metrics.count(metrics.KEY_IMAGES, request.account.name, by=images)


def observe_version(request: Request, catalogue: Catalogue, served: Served) -> Served:
    """Note in the request's observation which version draws."""
    observation, name = request.observation, served.version.name
    observation.model, observation.role = name, catalogue.models[name].role(served)
    return served


def _canary(request: Request) -> str | None:
    """What the header chooses. Raises InvalidField."""
    canary = request.header(CANARY)
    if canary is None or canary in get_args(Canary):
        return canary
    raise InvalidField("Faussaire-Canary", "Send 'always' or 'never'.")
