"""The HTTP application: its operations, its limits, its lifespan."""

import os
import sys
from asyncio import Protocol
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from typing import Any

from latent import VERSION
from service.access.account import shared_folder
from service.access.keyring import Keyring
from service.api import (
    codes,
    croissant,
    dataset_file,
    datasets,
    image,
    images,
    interpolations,
    meta,
    models,
    page,
    traversals,
    verify,
)
from service.api.context import CANARY_PARAMETER, Context, open_context
from service.errors import InvalidModel, InvalidSetting
from service.http.application import Application, Limits, alone
from service.http.asgi import App
from service.http.authorization import Authorization
from service.http.connection import Connection
from service.http.connections import Connections, Patience
from service.http.cors import Cors
from service.http.listener import listening
from service.http.observer import Observer
from service.http.openapi import document, with_keys
from service.http.openapi30 import as_version_30
from service.http.operation import Operation
from service.http.problems import describe, problem_types
from service.http.tls import Certificate, Handshake
from service.inference_protocol.operations import operations as inference_protocol
from service.reading.reader import ImageCodes
from service.reading.upload import FORMATS
from service.reading.verifier import Verification
from service.registry.trial import Try, trust
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.request_log import RequestLog
from service.telemetry.tracing import Tracing

UPLOADS_HELD = 16
"""Memory for uploads, in uploads of the longest kind; more of smaller ones fit."""

WORKING = 64
"""Requests that a worker works on at a time. More would only make each of them wait longer for its turn."""

PICTURES = tuple(FORMATS.values())

OPERATIONS = (
    Operation(
        "/v1/images",
        images.draw_images,
        "POST",
        body=images.ImagesRequest,
        answers=images.ANSWERS,
        links={"get_image": {"seed": "$response.header.Faussaire-Seed"}},
        draws=True,
    ),
    Operation(
        "/v1/image",
        image.get_image,
        query=image.ImageQuery,
        answers=image.ANSWERS,
        draws=True,
        recall=image.recall_image,
    ),
    Operation(
        "/v1/traversals",
        traversals.draw_traversal,
        "POST",
        body=traversals.TraversalRequest,
        answers=traversals.ANSWERS,
        draws=True,
    ),
    Operation(
        "/v1/interpolations",
        interpolations.draw_interpolation,
        "POST",
        body=interpolations.InterpolationRequest,
        answers=interpolations.ANSWERS,
        draws=True,
    ),
    Operation(
        "/v1/codes",
        codes.read_codes,
        "POST",
        query=codes.CodesQuery,
        media_types=PICTURES,
        answer=ImageCodes,
        answers=codes.ANSWERS,
    ),
    Operation(
        "/v1/verify",
        verify.verify_image,
        "POST",
        media_types=PICTURES,
        answer=Verification,
        answers=verify.ANSWERS,
    ),
    Operation(
        "/v1/datasets",
        datasets.stream_dataset,
        "POST",
        body=datasets.DatasetRequest,
        answers=datasets.ANSWERS,
        links={"get_dataset": {"seed": "$response.header.Faussaire-Seed"}},
        draws=True,
    ),
    Operation(
        "/v1/datasets/croissant.json",
        croissant.describe_dataset,
        query=croissant.CroissantQuery,
        answers=croissant.ANSWERS,
    ),
    Operation(
        "/v1/datasets/{name}",
        dataset_file.get_dataset,
        query=dataset_file.DatasetQuery,
        path_schema=dataset_file.NAME,
        answers=dataset_file.ANSWERS,
        draws=True,
    ),
    Operation(
        "/v1/models",
        models.list_models,
        answer=models.Models,
        links={"get_model": {"name": "$response.body#/models/0/card/name"}},
    ),
    Operation(
        "/v1/models/{name}", models.get_model, path_schema=models.NAME, answer=models.Model, answers=models.ANSWERS
    ),
    Operation("/livez", meta.answer_probe, listed=False),
    Operation("/readyz", meta.answer_probe, listed=False),
)
"""The table of all endpoints but the metrics and the pages."""

METRICS = Operation("/metrics", meta.scrape, listed=False)

Opening = Callable[[], AbstractAsyncContextManager[Any]]

INFO = {
    "title": "Faussaire",
    "version": VERSION,
    "description": "Images from the generators of GANs: codes and a seed in, PNG out.",
}


def create_app(settings: Settings, inner: App = alone, try_files: Try = trust) -> Application:
    """The application opens its models when it starts, and not before. `inner` has BentoML's own paths.

    Raises InvalidSetting.
    """
    tracing = Tracing()
    keyring = None if settings.keys_file is None else Keyring(settings.keys_file, shared_folder())
    limits = Limits(
        body_bytes=settings.max_body_bytes,
        upload_bytes=settings.max_upload_bytes,
        uploads_held=UPLOADS_HELD * settings.max_upload_bytes,
        working=WORKING,
        waiting=settings.max_waiting,
        seconds=settings.max_seconds,
        body_seconds=settings.max_body_seconds,
    )
    log = RequestLog() if settings.log_requests else None
    operations = [*OPERATIONS, *inference_protocol(), *(_pages(keyring is not None) if settings.pages else ())]
    observer, opening = Observer(log, tracing), _open(settings, tracing, try_files, keyring)
    cors = Cors(settings.origins) if settings.cors_origins else None
    authorization = None if keyring is None else Authorization(keyring.find)
    if settings.metrics_host_and_port is None:
        operations.append(METRICS)
    else:
        beside = Application([METRICS], limits, opening, observer, alone, _no_path)
        opening = _with_metrics(opening, beside, settings, *settings.metrics_host_and_port)
    shown = is_inner if settings.pages else _no_path
    return Application(operations, limits, opening, observer, inner, shown, cors, authorization)


def _pages(asks_for_keys: bool) -> Iterator[Operation]:
    """What explains the service to people and machines."""
    described = document(OPERATIONS, INFO, CANARY_PARAMETER, describe("Any other error"))
    if asks_for_keys:
        described = with_keys(described)
    yield from page.operations()
    yield Operation("/docs", meta.show_docs, listed=False)
    yield Operation("/openapi.json", meta.document_of(described), listed=False)
    yield Operation("/openapi-3.0.json", meta.document_of(as_version_30(described)), listed=False)


def _no_path(_: str) -> bool:
    return False


def _with_metrics(opening: Opening, beside: Application, settings: Settings, host: str, port: int) -> Opening:
    """The metrics have an address of their own, while the service is open."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Any]:
        async with opening() as context, listening(connecting(beside, settings), host, port):
            yield context

    return opened


def connecting(app: App, settings: Settings) -> Callable[..., Protocol]:
    """Makes the connections of uvicorn's server. Raises InvalidSetting."""
    patience = Patience(
        connections=settings.max_connections,
        connections_of_client=settings.max_client_connections or settings.max_connections,
        head_bytes=settings.max_head_bytes,
        head_seconds=settings.max_head_seconds,
        idle_seconds=settings.max_idle_seconds,
        stalled_seconds=settings.max_stalled_seconds,
    )
    connections, certificate = Connections(patience), open_certificate(settings)
    connect = partial(Connection, app, connections)
    return connect if certificate is None else partial(Handshake, certificate, connections, connect)


def open_certificate(settings: Settings) -> Certificate | None:
    """None if the service speaks HTTP. Raises InvalidSetting."""
    if settings.tls_certificate is None and settings.tls_key is None:
        return None
    if settings.tls_certificate is None or settings.tls_key is None:
        raise InvalidSetting("set both FAUSSAIRE_TLS_CERTIFICATE and FAUSSAIRE_TLS_KEY, or none of them")
    return Certificate(settings.tls_certificate, settings.tls_key)


def is_inner(path: str) -> bool:
    """Whether BentoML answers: it has the files of the documentation's page, and nothing else that is shown."""
    return path.startswith("/static_content/") and path.encode("ascii", "replace")[1:] in meta.DOCS


def _open(settings: Settings, tracing: Tracing, try_files: Try, keyring: Keyring | None) -> Opening:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Context]:
        metrics.begin(problem_types(), settings.max_queue_rows)
        async with AsyncExitStack() as stack:
            with exit_on_error():
                stack.enter_context(tracing)
                context = await stack.enter_async_context(open_context(settings, try_files, keyring))
            yield context

    return opened


@contextmanager
def exit_on_error() -> Iterator[None]:
    """Print one line and exit if the service cannot start."""
    try:
        yield
    except (InvalidModel, InvalidSetting) as error:
        # Raised, the error would show as several tracebacks. Nothing has started yet that needs a clean end.
        print(f"error: {error}", file=sys.stderr, flush=True)
        os._exit(2)
