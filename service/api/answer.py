"""A plan's answer: its images drawn and encoded, and the headers that tell how to have them again."""

import asyncio
import math
import time
from typing import Any

from fastapi import Request, Response

from service.api.models import Served
from service.encoding.cache import etag_of
from service.encoding.formats import MEDIA_TYPE, SCHEMA, Format, Rendering, encoded, told_by
from service.errors import FieldConflict, ScaleTooLarge
from service.http.problems import described
from service.planning.plan import Plan
from service.settings import Settings
from service.telemetry import metrics
from service.telemetry.observation import Stage, observation_of

REFUSED: dict[int | str, dict[str, Any]] = {
    400: described("The body is not JSON"),
    404: described("No such model"),
    406: described("`Accept` names none of the formats"),
    413: described("The body is too large"),
    422: described("A field is not valid"),
    429: described("The queue is full: see Retry-After"),
}


def answers(*formats: Format) -> dict[int | str, dict[str, Any]]:
    """The answers that OpenAPI lists of an operation with these formats."""
    content: dict[str, Any] = {MEDIA_TYPE[kind]: {} for kind in formats} | {MEDIA_TYPE["json"]: {"schema": SCHEMA}}
    return {200: {"content": content, "description": "The images"}} | REFUSED


async def answered(request: Request, served: Served, plan: Plan, rendering: Rendering) -> Response:
    """Raises FieldConflict, ScaleTooLarge and QueueFull."""
    check_scale(rendering, plan, request.app.state.settings)
    observation_of(request).images = len(plan)
    content, known = await drawn(request, served, plan, rendering)
    headers = {"Vary": "Accept"} | headers_of(served, plan) | known
    return Response(content, media_type=MEDIA_TYPE[rendering.format], headers=headers)


def check_scale(rendering: Rendering, plan: Plan, settings: Settings) -> None:
    """Raises FieldConflict and ScaleTooLarge."""
    if rendering.scale == 1:
        return
    if rendering.format == "npy":
        raise FieldConflict("scale", "Leave 'scale' out: npy has the images as they are drawn.")
    pixels = len(plan) * plan.card.image.height * plan.card.image.width
    if pixels * rendering.scale**2 > settings.max_pixels:
        most = max(1, math.isqrt(settings.max_pixels // pixels))
        raise ScaleTooLarge("scale", f"Of so many images, ask for a scale of at most {most}.")


async def drawn(request: Request, served: Served, plan: Plan, rendering: Rendering) -> tuple[bytes, dict[str, str]]:
    """The answer's bytes, its ETag, and the header that tells where its time went. Raises QueueFull."""
    submitted = time.perf_counter()
    done = await served.batcher.submit(plan.codes)
    started = time.perf_counter()

    def made() -> tuple[bytes, str]:
        return encoded(plan, plan.placed(done.images), rendering), etag_of(told_by(plan, rendering), rendering)

    # One small image is encoded sooner than another thread is reached.
    content, etag = made() if len(plan) == rendering.scale == 1 else await asyncio.to_thread(made)
    ended = time.perf_counter()
    taken, encoding = submitted + done.queued, ended - started
    observation_of(request).stages += [
        Stage("queue", submitted, taken),
        Stage("inference", taken, started),
        Stage("encoding", started, ended),
    ]
    metrics.ENCODING_SECONDS.labels(plan.card.name).observe(encoding)
    parts = {"queue": done.queued, "inference": done.inference, "encode": encoding}
    timing = ", ".join(f"{name};dur={seconds * 1e3:.2f}" for name, seconds in parts.items())
    return content, {"ETag": etag, "Server-Timing": timing}


def headers_of(served: Served, plan: Plan) -> dict[str, str]:
    headers = {
        "Faussaire-Model": served.version,
        "Faussaire-Seed": str(plan.seed),
        "Faussaire-Index": str(plan.index),
    }
    return headers | failed_header(list(plan.failed)) if plan.failed else headers


def failed_header(places: list[int]) -> dict[str, str]:
    return {"Faussaire-Failed": ",".join(map(str, places))}
