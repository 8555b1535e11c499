"""The answer to a plan: its images drawn and encoded, and headers that say how to draw them again."""

import math
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from latent.release import version_label
from service.api.context import charge, context_of
from service.encoding.cache import etag_of
from service.encoding.formats import FORMATS, Rendering, encode, text_of
from service.errors import FieldConflict, ScaleTooLarge
from service.http.problems import describe
from service.http.request import Answer, Headers, Request
from service.planning.plan import Images, Plan
from service.registry.catalogue import Served
from service.settings import Settings
from service.telemetry import metrics

Encoded = TypeVar("Encoded")

FEW = 64
"""Images that are encoded in the thread of the event loop: it takes 1.5 ms at most, and another thread would take
turns with this one all the same."""

VARY = (b"vary", b"Accept")

PROBLEMS: dict[int, dict[str, Any]] = {
    400: describe("The body is not JSON"),
    404: describe("There is no such model"),
    406: describe("`Accept` names none of the formats"),
    413: describe("The body is too large"),
    422: describe("A field is not valid"),
    429: describe("The queue is full: see Retry-After"),
}


def describe_answers(formats: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The answers that OpenAPI lists for an operation with these formats."""
    content: dict[str, Any] = {}
    for row in (FORMATS[name] for name in formats):
        content[row.media_type] = {"schema": row.schema} if row.schema else {}
    return {200: {"content": content, "description": "The images"}} | PROBLEMS


async def answer(request: Request, served: Served, plan: Plan, rendering: Rendering) -> Answer:
    """Draw, encode and send the images of a plan. Raises FieldConflict, ScaleTooLarge and QueueFull."""
    check_scale(rendering, plan, context_of(request).settings)
    charge(request, plan.count)
    text = text_of(plan, rendering)
    content, timing = await draw(request, served, plan, rendering, text)
    headers = [
        VARY,
        *headers_of(plan),
        (b"etag", etag_of(text, rendering, plan.faults)),
        (b"server-timing", timing),
    ]
    return Answer(content, FORMATS[rendering.format].header, headers)


def check_scale(rendering: Rendering, plan: Plan, settings: Settings) -> None:
    """Raises FieldConflict and ScaleTooLarge."""
    if rendering.scale == 1:
        return
    if not FORMATS[rendering.format].scales:
        raise FieldConflict("scale", f"Leave 'scale' out: {rendering.format} has the images as they are drawn.")
    image = plan.version.card.image
    pixels = plan.count * image.height * image.width
    if pixels * rendering.scale**2 > settings.max_pixels:
        most = max(1, math.isqrt(settings.max_pixels // pixels))
        raise ScaleTooLarge("scale", f"For this many images, ask for a scale of at most {most}.")


async def draw(request: Request, served: Served, plan: Plan, rendering: Rendering, text: str) -> tuple[bytes, bytes]:
    """The encoded images of a plan, and the value of `Server-Timing`. Raises QueueFull."""
    few = plan.count <= FEW and rendering.scale == 1 and not FORMATS[rendering.format].plays
    return await draw_as(request, served, plan, lambda images: encode(plan, images, rendering, text), few)


async def draw_as(
    request: Request, served: Served, plan: Plan, encode_images: Callable[[Images], Encoded], few: bool
) -> tuple[Encoded, bytes]:
    """The same, encoded in any way: in the thread of the event loop if there are `few`. Raises QueueFull."""
    submitted = time.perf_counter()
    drawn = await served.batcher.submit(plan.codes)
    started = time.perf_counter()
    images = plan.fill(drawn.images)
    content = encode_images(images) if few else await context_of(request).encoding.run(lambda: encode_images(images))
    ended, taken = time.perf_counter(), submitted + drawn.queued
    request.observation.note("queue", submitted, taken)
    request.observation.note("inference", taken, started)
    request.observation.note("encoding", started, ended)
    metrics.observe(metrics.ENCODING_SECONDS, ended - started, plan.version.name)
    spent = drawn.queued * 1e3, drawn.inference * 1e3, (ended - started) * 1e3
    return content, b"queue;dur=%.2f, inference;dur=%.2f, encode;dur=%.2f" % spent


def headers_of(plan: Plan) -> Headers:
    headers = [
        (b"faussaire-model", _label(plan.version.name, plan.version.digest)),
        (b"faussaire-seed", b"%d" % plan.seed),
        (b"faussaire-index", b"%d" % plan.index),
    ]
    if plan.failed:
        headers.append((b"faussaire-failed", ",".join(map(str, plan.failed)).encode("ascii")))
    return headers


@lru_cache
def _label(name: str, digest: str) -> bytes:
    return version_label(name, digest).encode("ascii")
