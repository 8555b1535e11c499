"""The answer to a plan: its images drawn and encoded, and headers that say how to draw them again."""

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response

from service.api.context import context_of
from service.encoding.cache import etag_of
from service.encoding.formats import FORMATS, Rendering, encode, origin_of
from service.errors import FieldConflict, ScaleTooLarge
from service.http.problems import describe
from service.inference.batcher import Drawn
from service.planning.plan import Plan
from service.registry.catalogue import Served
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.observation import Stage, observation_of

PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: describe("The body is not JSON"),
    404: describe("There is no such model"),
    406: describe("`Accept` names none of the formats"),
    413: describe("The body is too large"),
    422: describe("A field is not valid"),
    429: describe("The queue is full: see Retry-After"),
}


@dataclass(frozen=True)
class Encoded:
    content: bytes
    etag: str
    timing: str
    """The value of `Server-Timing`."""


def describe_answers(formats: Sequence[str]) -> dict[int | str, dict[str, Any]]:
    """The answers that OpenAPI lists for an operation with these formats."""
    content: dict[str, Any] = {}
    for row in (FORMATS[name] for name in formats):
        content[row.media_type] = {"schema": row.schema} if row.schema else {}
    return {200: {"content": content, "description": "The images"}} | PROBLEMS


async def answer(request: Request, served: Served, plan: Plan, rendering: Rendering) -> Response:
    """Draw, encode and send the images of a plan. Raises FieldConflict, ScaleTooLarge and QueueFull."""
    check_scale(rendering, plan, context_of(request).settings)
    observation_of(request).images = len(plan)
    encoded = await draw(request, served, plan, rendering)
    headers = {"Vary": "Accept"} | headers_of(plan) | {"ETag": encoded.etag, "Server-Timing": encoded.timing}
    return Response(encoded.content, media_type=FORMATS[rendering.format].media_type, headers=headers)


def check_scale(rendering: Rendering, plan: Plan, settings: Settings) -> None:
    """Raises FieldConflict and ScaleTooLarge."""
    if rendering.scale == 1:
        return
    if not FORMATS[rendering.format].scales:
        raise FieldConflict("scale", f"Leave 'scale' out: {rendering.format} has the images as they are drawn.")
    image = plan.version.card.image
    pixels = len(plan) * image.height * image.width
    if pixels * rendering.scale**2 > settings.max_pixels:
        most = max(1, math.isqrt(settings.max_pixels // pixels))
        raise ScaleTooLarge("scale", f"For this many images, ask for a scale of at most {most}.")


async def draw(request: Request, served: Served, plan: Plan, rendering: Rendering, etag: str | None = None) -> Encoded:
    """Draw and encode the images of a plan. Raises QueueFull."""
    submitted = time.perf_counter()
    drawn = await served.batcher.submit(plan.codes)
    started = time.perf_counter()

    def finish() -> tuple[bytes, str]:
        content = encode(plan, plan.fill(drawn.images), rendering)
        return content, etag or etag_of(origin_of(plan, rendering), rendering, plan.faults)

    # One small image is encoded sooner than another thread is reached.
    content, known = finish() if len(plan) == rendering.scale == 1 else await asyncio.to_thread(finish)
    return Encoded(content, known, _record_time(request, plan, drawn, submitted, started))


def _record_time(request: Request, plan: Plan, drawn: Drawn, submitted: float, started: float) -> str:
    """Note in the observation and the metrics where the time went, and return it as `Server-Timing`."""
    ended, taken = time.perf_counter(), submitted + drawn.queued
    observation_of(request).stages += [
        Stage("queue", submitted, taken),
        Stage("inference", taken, started),
        Stage("encoding", started, ended),
    ]
    metrics.ENCODING_SECONDS.labels(plan.version.name).observe(ended - started)
    parts = {"queue": drawn.queued, "inference": drawn.inference, "encode": ended - started}
    return ", ".join(f"{name};dur={seconds * 1e3:.2f}" for name, seconds in parts.items())


def headers_of(plan: Plan) -> dict[str, str]:
    headers = {
        "Faussaire-Model": plan.version.label,
        "Faussaire-Seed": str(plan.seed),
        "Faussaire-Index": str(plan.index),
    }
    return headers | {"Faussaire-Failed": ",".join(map(str, plan.failed))} if plan.failed else headers
