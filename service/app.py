"""The HTTP application: its routes, its middleware, its lifespan."""

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager

from fastapi import FastAPI, Response

from latent import VERSION
from service.api import codes, datasets, image, images, interpolations, meta, models, traversals, verify
from service.api.context import open_context
from service.errors import InvalidModel, InvalidSetting
from service.http.body import BodyLimit, UploadBudget
from service.http.disconnect import CancelOnDisconnect
from service.http.observer import Observer
from service.http.problems import add_handlers, problem_types
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.request_log import RequestLog
from service.telemetry.tracing import Tracing

UPLOADS_HELD = 16
"""Memory for uploads, in uploads of the longest kind; more of smaller ones fit."""


def create_app(settings: Settings) -> FastAPI:
    """The application opens its models when it starts, and not before."""
    tracing = Tracing()
    app = FastAPI(
        title="Faussaire",
        version=VERSION,
        description="Images from the generators of GANs: codes and a seed in, PNG out.",
        docs_url=None,
        redoc_url=None,
        # The name alone is one that a function of a generated client can have.
        generate_unique_id_function=lambda route: route.name,
        lifespan=_lifespan(settings, tracing),
    )
    _add_routes(app)
    _add_middleware(app, settings, tracing)
    add_handlers(app)
    return app


def _add_routes(app: FastAPI) -> None:
    """The table of all endpoints. BentoML adds /livez and /readyz."""
    app.post("/v1/images", responses=images.ANSWERS, response_class=Response)(images.draw_images)
    app.get("/v1/image", responses=image.ANSWERS, response_class=Response)(image.get_image)
    app.post("/v1/traversals", responses=traversals.ANSWERS, response_class=Response)(traversals.draw_traversal)
    app.post("/v1/interpolations", responses=interpolations.ANSWERS, response_class=Response)(
        interpolations.draw_interpolation
    )
    app.post("/v1/codes", responses=codes.ANSWERS, openapi_extra=codes.BODY, response_model_exclude_none=True)(
        codes.read_codes
    )
    app.post("/v1/verify", responses=verify.ANSWERS, openapi_extra=verify.BODY, response_model_exclude_none=True)(
        verify.verify_image
    )
    app.post("/v1/datasets", responses=datasets.ANSWERS, response_class=Response)(datasets.stream_dataset)
    app.get("/v1/models")(models.list_models)
    app.get("/v1/models/{name}", responses=models.ANSWERS)(models.get_model)
    app.get("/metrics", include_in_schema=False)(meta.scrape)
    app.get("/docs", include_in_schema=False)(meta.docs)
    app.get("/", include_in_schema=False)(meta.root)


def _add_middleware(app: FastAPI, settings: Settings, tracing: Tracing) -> None:
    """From the innermost to the outermost."""
    uploads = dict.fromkeys(("/v1/codes", "/v1/verify"), settings.max_upload_bytes)
    app.add_middleware(CancelOnDisconnect)
    app.add_middleware(BodyLimit, max_bytes=settings.max_body_bytes, max_bytes_at=uploads)
    app.add_middleware(UploadBudget, max_bytes_at=uploads, max_held=UPLOADS_HELD * settings.max_upload_bytes)
    app.add_middleware(Observer, log=RequestLog() if settings.log_requests else None, tracing=tracing)


def _lifespan(settings: Settings, tracing: Tracing) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        metrics.begin(problem_types(), settings.max_queue_rows)
        async with AsyncExitStack() as stack:
            with _exit_on_error():
                stack.enter_context(tracing)
                await stack.enter_async_context(open_context(app, settings))
            yield

    return lifespan


@contextmanager
def _exit_on_error() -> Iterator[None]:
    """Print one line and exit if the service cannot start."""
    try:
        yield
    except (InvalidModel, InvalidSetting) as error:
        # Raised, the error would show as several tracebacks. Nothing has started yet that needs a clean end.
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(2)
