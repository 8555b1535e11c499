"""The service: its routes, and BentoML around them."""

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Annotated, Any

import bentoml
from fastapi import FastAPI, Query, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST

from latent import VERSION
from service.api.datasets import STREAM, DatasetRequest, Streams, container_of, dataset_of, headers_of
from service.api.fields import seed_of
from service.api.images import IMAGES, ONE_PNG, draw_images, get_image
from service.api.interpolations import draw_interpolation
from service.api.models import ONE_MODEL, Canary, catalogue, chosen, find, get_model, list_models
from service.api.traversals import PLAYED, draw_traversal
from service.bento import IMAGE
from service.encoding.cache import Cache
from service.errors import InvalidModel, InvalidSetting
from service.http import problems
from service.http.body import BodyLimit, Observed, UploadBudget
from service.http.disconnect import Attended
from service.reading.reader import FILE, FILES_HELD, FILES_WAITING, REFUSED, CodesQuery, CodesReader, ImageCodes
from service.reading.worker import Line
from service.registry.registry import Registry
from service.registry.watch import Watch
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.observation import Stage, observation_of
from service.telemetry.tracing import tracing


def create_app(settings: Settings) -> FastAPI:
    """The HTTP application; it opens its models when it starts, and not before."""
    app = FastAPI(
        title="Faussaire",
        version=VERSION,
        description="Images from the generators of GANs: codes and a seed in, PNG out.",
        docs_url=None,
        redoc_url=None,
        # Without its path behind it, the name is one that a function of a generated client can have.
        generate_unique_id_function=lambda route: route.name,
        lifespan=_serving(settings),
    )
    app.state.settings = settings
    uploads = {"/v1/codes": settings.max_upload_bytes}
    app.add_middleware(Attended)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_bytes_at=uploads)
    app.add_middleware(UploadBudget, max_bytes_at=uploads, max_held=FILES_HELD * settings.max_upload_bytes)
    app.add_middleware(Observed, log=settings.log_requests)
    problems.handle_in(app)
    app.post("/v1/images", response_class=Response, responses=IMAGES)(draw_images)
    app.get("/v1/image", response_class=Response, responses=ONE_PNG)(get_image)
    app.post("/v1/traversals", response_class=Response, responses=PLAYED)(draw_traversal)
    app.post("/v1/interpolations", response_class=Response, responses=PLAYED)(draw_interpolation)
    app.post("/v1/codes", responses=REFUSED, openapi_extra=FILE, response_model_exclude_none=True)(read_codes)
    app.post("/v1/datasets", response_class=Response, responses=STREAM)(stream_dataset)
    app.get("/v1/models")(list_models)
    app.get("/v1/models/{name}", responses=ONE_MODEL)(get_model)
    app.get("/metrics", include_in_schema=False)(scrape)
    app.get("/docs", include_in_schema=False)(docs)
    app.get("/", include_in_schema=False)(root)
    return app


async def read_codes(query: Annotated[CodesQuery, Query()], request: Request) -> ImageCodes:
    """Read the codes of an image.

    A PNG that this service drew tells its own. Any other image is laid out as the model's data set lies in its frame,
    and the model's recogniser reads it.
    """
    now, state = catalogue(request), request.app.state
    find(request, query.model)
    content, observation = await request.body(), observation_of(request)
    observation.images = 1
    reader, started = CodesReader(now, state.settings.max_pixels), time.perf_counter()
    answer: ImageCodes = await state.line.run(lambda: reader.read(content, query.model))
    observation.model = answer.model
    observation.stages.append(Stage("reading", started, time.perf_counter()))
    return answer


async def stream_dataset(body: DatasetRequest, request: Request, canary: Canary = None) -> Response:
    """Stream a labelled data set, or one shard of it.

    Any shard is the same drawn alone, here or on another machine. The stream has no length known beforehand: a data set
    came whole if its container can be read to its end.
    """
    seed = seed_of(body.seed)
    served = chosen(request, body.model, seed, canary)
    card = served.runtime.card
    dataset = dataset_of(body, card, seed)
    made = container_of(body, card, dataset)
    observation_of(request).images = len(dataset)
    stream = await request.app.state.streams.opened(dataset, made, served.batcher)
    headers = headers_of(body, card, dataset) | {"Faussaire-Model": served.version}
    return StreamingResponse(stream, headers=headers)


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


def _serving(settings: Settings) -> Any:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.cache = Cache(settings.cache_bytes)
        app.state.streams = Streams(settings.max_streams)
        metrics.begin(problems.TYPES, settings.max_queue_rows)
        async with AsyncExitStack() as stack:
            app.state.line = stack.enter_context(Line("codes", FILES_WAITING))
            with _last_words():
                app.state.tracer = stack.enter_context(tracing())
                app.state.registry = await stack.enter_async_context(Registry(settings))
            await stack.enter_async_context(Watch(app.state.registry.refresh, settings.watch_seconds))
            yield

    return lifespan


@contextmanager
def _last_words() -> Iterator[None]:
    try:
        yield
    except (InvalidModel, InvalidSetting) as error:
        # Raised, it would come out as several tracebacks; nothing has started yet that would want a clean end.
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(2)


@bentoml.service(
    name="faussaire",
    image=IMAGE,
    # Its own request metrics are labelled by raw URL, of which there is no end; ours are at /metrics.
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    traffic={"timeout": 60},
)
@bentoml.asgi_app(create_app(Settings.from_environment()), path="/")
class Faussaire:
    """BentoML gives the processes, the lifecycle, /livez, /readyz, `bentoml build` and `containerize`."""
