"""The service: its routes, and BentoML around them."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import bentoml
from fastapi import FastAPI, Query, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel

from latent import GeneratorCard
from service import images, metrics, problems
from service.batcher import Batcher, Drawn
from service.codes import FILE, FILES_HELD, FILES_WAITING, REFUSED, CodesQuery, CodesReader, ImageCodes
from service.datasets import STREAM, DatasetRequest, Streams, container_of, dataset_of, headers_of
from service.errors import InvalidModel, TooManyImages, UnknownModel
from service.line import Line
from service.middleware import BodyLimit, Observed, UploadBudget
from service.provenance import Origin, origin_of
from service.recogniser import Recogniser, open_recognisers
from service.requests import ImagesRequest, codes_of
from service.runtime import SHAPE, Runtime, open_models
from service.settings import Settings

DRAWN_SEEDS = 2**53
"""Seeds that the server chooses are below it: JavaScript's numbers hold them exactly."""


@dataclass(frozen=True)
class Served:
    runtime: Runtime
    batcher: Batcher


class Model(BaseModel):
    """A generator that can be asked for."""

    digest: str
    default: bool
    card: GeneratorCard


class Models(BaseModel):
    models: list[Model]


PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The image, or a sheet of several"},
    404: problems.described("No such model"),
    413: problems.described("The body is too large"),
    422: problems.described("A field is not valid"),
    429: problems.described("The queue is full: see Retry-After"),
}


def create_app(settings: Settings) -> FastAPI:
    """The HTTP application; it opens its models when it starts, and not before."""
    app = FastAPI(
        title="Faussaire",
        description="Images from the generators of GANs: codes and a seed in, PNG out.",
        docs_url=None,
        redoc_url=None,
        lifespan=_serving(settings),
    )
    app.state.settings = settings
    uploads = {"/v1/codes": settings.max_upload_bytes}
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_bytes_at=uploads)
    app.add_middleware(UploadBudget, max_bytes_at=uploads, max_held=FILES_HELD * settings.max_upload_bytes)
    app.add_middleware(Observed)
    problems.handle_in(app)
    app.post("/v1/images", response_class=Response, responses=PNG)(draw_images)
    app.post("/v1/codes", responses=REFUSED, openapi_extra=FILE, response_model_exclude_none=True)(read_codes)
    app.post("/v1/datasets", response_class=Response, responses=STREAM)(stream_dataset)
    app.get("/v1/models")(list_models)
    app.get("/v1/models/{name}")(get_model)
    app.get("/metrics", include_in_schema=False)(scrape)
    app.get("/docs", include_in_schema=False)(docs)
    app.get("/", include_in_schema=False)(root)
    return app


async def draw_images(body: ImagesRequest, request: Request) -> Response:
    """Draw images.

    The same model, codes, seed and index give the same image, whatever else the server is doing.
    """
    settings: Settings = request.app.state.settings
    if body.n > settings.max_images:
        raise TooManyImages("n", f"Ask for at most {settings.max_images} images at a time.")
    served = _find(request, body.model)
    seed = secrets.randbelow(DRAWN_SEEDS) if body.seed is None else body.seed
    card = served.runtime.card
    codes = codes_of(body, card.space, seed)
    origin = origin_of(card, served.runtime.digest, codes, seed, body)
    drawn = await served.batcher.submit(codes)
    started = time.perf_counter()
    content = await _encode(drawn, origin)
    encoding = time.perf_counter() - started
    metrics.ENCODING_SECONDS.labels(card.name).observe(encoding)
    headers = {
        "Faussaire-Model": f"{card.name}@{served.runtime.digest[:12]}",
        "Faussaire-Seed": str(seed),
        "Faussaire-Index": str(body.index),
        "Server-Timing": f"queue;dur={drawn.queued * 1e3:.2f}, inference;dur={drawn.inference * 1e3:.2f}, "
        f"encode;dur={encoding * 1e3:.2f}",
    }
    return Response(content, media_type="image/png", headers=headers)


async def read_codes(query: Annotated[CodesQuery, Query()], request: Request) -> ImageCodes:
    """Read the codes of an image.

    A PNG that this service drew tells its own. Any other image is laid out as the model's data set lies in its frame,
    and the model's recogniser reads it.
    """
    if query.model is not None:
        _find(request, query.model)
    content = await request.body()
    state = request.app.state
    answer: ImageCodes = await state.line.run(lambda: state.reader.read(content, query.model, state.default))
    return answer


async def stream_dataset(body: DatasetRequest, request: Request) -> Response:
    """Stream a labelled data set, or one shard of it.

    Any shard is the same drawn alone, here or on another machine. The stream has no length known beforehand: a data set
    came whole if its container can be read to its end.
    """
    served = _find(request, body.model)
    card = served.runtime.card
    seed = secrets.randbelow(DRAWN_SEEDS) if body.seed is None else body.seed
    dataset = dataset_of(body, card, seed)
    made = container_of(body, card, dataset)
    stream = await request.app.state.streams.opened(dataset, made, served.batcher)
    headers = headers_of(body, card, dataset) | {"Faussaire-Model": f"{card.name}@{served.runtime.digest[:12]}"}
    return StreamingResponse(stream, headers=headers)


async def list_models(request: Request) -> Models:
    """The cards of all models."""
    return Models(models=[_described(request, served) for served in request.app.state.models.values()])


async def get_model(name: str, request: Request) -> Model:
    """One model's card: its latent space, training and measured figures."""
    return _described(request, _find(request, name))


async def scrape() -> Response:
    return Response(metrics.scrape(), media_type=CONTENT_TYPE_LATEST)


async def docs() -> HTMLResponse:
    # The user interface's files come with BentoML, which serves them: nothing is loaded from elsewhere.
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Faussaire",
        swagger_js_url="/static_content/swagger-ui-bundle.js",
        swagger_css_url="/static_content/swagger-ui.css",
        swagger_favicon_url="/static_content/favicon-light-32x32.png",
    )


async def root() -> RedirectResponse:
    return RedirectResponse("/docs")


def _find(request: Request, name: str | None) -> Served:
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


async def _encode(drawn: Drawn, origin: Origin) -> bytes:
    if len(drawn.images) == 1:
        return images.png(drawn.images[0], origin)
    return await asyncio.to_thread(lambda: images.png(images.sheet(drawn.images), origin))


def _serving(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtimes, recognisers = _open_or_exit(settings)
        app.state.default = settings.default_model if settings.default_model in runtimes else next(iter(runtimes))
        app.state.streams = Streams(settings.max_streams)
        app.state.reader = CodesReader(runtimes, recognisers, settings.max_pixels)
        async with AsyncExitStack() as stack:
            app.state.line = stack.enter_context(Line("codes", FILES_WAITING))
            app.state.models = {
                name: Served(runtime, await stack.enter_async_context(_batcher(runtime, settings)))
                for name, runtime in runtimes.items()
            }
            yield

    return lifespan


def _open_or_exit(settings: Settings) -> tuple[dict[str, Runtime], dict[str, Recogniser]]:
    try:
        runtimes = open_models(settings.models_dir, settings.threads)
        return runtimes, open_recognisers(runtimes, settings.threads)
    except InvalidModel as error:
        # Raised, it would come out as several tracebacks; nothing has started yet that would want a clean end.
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(2)


def _batcher(runtime: Runtime, settings: Settings) -> Batcher:
    return Batcher(runtime.card.name, runtime.generate, max_rows=settings.max_queue_rows, slice_rows=SHAPE)


@bentoml.service(
    name="faussaire",
    # Its own request metrics are labelled by raw URL, of which there is no end; ours are at /metrics.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    traffic={"timeout": 60},
)
@bentoml.asgi_app(create_app(Settings.from_environment()), path="/")
class Faussaire:
    """BentoML gives the processes, the lifecycle, /livez, /readyz, `bentoml build` and `containerize`."""
