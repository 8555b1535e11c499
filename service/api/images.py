"""`POST /v1/images` and `GET /v1/image`: from codes to images."""

import asyncio
from typing import Annotated, Any

from fastapi import Query, Request, Response

from service.api.answer import REFUSED, answered, answers, check_scale, drawn, headers_of
from service.api.fields import ImageQuery, ImagesRequest, seed_of
from service.api.models import Canary, Served, chosen
from service.encoding.cache import Cache, etag_of
from service.encoding.formats import Format, Rendering, told_by
from service.errors import TooManyImages
from service.http.headers import format_of
from service.http.problems import described
from service.planning.items import check_alone, first_seed, plan_of_items
from service.planning.plan import Plan, in_a_row
from service.telemetry import metrics
from service.telemetry.observation import observation_of

FORMATS: tuple[Format, ...] = ("png", "zip", "json", "npy")
"""What `Accept` chooses from, best first."""

IMAGES = answers(*FORMATS)

ONE_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The image"},
    304: {"description": "The client has it: `If-None-Match` names its `ETag`"},
    404: described("No such model, or not in that version"),
    422: REFUSED[422],
    429: REFUSED[429],
}

FOR_EVER = "public, max-age=31536000, immutable"
"""What a URL draws that names the model's version too."""

ASK_AGAIN = "public, no-cache"
"""What it draws when not: what a name means may change. A client asks, and gets 304 while it has not."""


async def draw_images(body: ImagesRequest, request: Request, canary: Canary = None) -> Response:
    """Draw images.

    The same model, codes, seed and index give the same image, whatever else the server is doing. `items` draws images
    of codes of their own each, of which one that is not valid fails alone.
    """
    seed = seed_of(body.seed)
    served = chosen(request, body.model, seed if body.items is None else first_seed(body.items, seed), canary)
    rendering = Rendering(format_of(request, body.format, FORMATS), body.scale)
    plan = await _planned(body, served, seed, request.app.state.settings.max_images)
    return await answered(request, served, plan, rendering)


async def get_image(query: Annotated[ImageQuery, Query()], request: Request, canary: Canary = None) -> Response:
    """Draw one image, for an `<img>` tag.

    Its `ETag` is known before it is drawn: a client that has the image is told so without any inference. With the
    version in the URL, by `version` or within `model`, it may be kept for ever.
    """
    served, cache = chosen(request, query.model, query.seed, canary, query.version), request.app.state.cache
    plan, rendering = in_a_row(query.images_request(), served.runtime, query.seed), Rendering("png", query.scale)
    check_scale(rendering, plan, request.app.state.settings)
    observation_of(request).images = len(plan)
    etag = etag_of(told_by(plan, rendering), rendering)
    kept = {"ETag": etag, "Cache-Control": FOR_EVER}
    if not query.names_version:
        kept |= {"Cache-Control": ASK_AGAIN, "Vary": "Faussaire-Canary"}
    if _has(request, etag):
        return Response(status_code=304, headers=kept)
    headers = kept | headers_of(served, plan)
    content = _from(cache, etag)
    if content is None:
        content, known = await drawn(request, served, plan, rendering)
        cache.put(etag, content)
        headers |= known
    return Response(content, media_type="image/png", headers=headers)


async def _planned(body: ImagesRequest, served: Served, seed: int, most: int) -> Plan:
    field, count = ("n", body.n) if body.items is None else ("items", len(body.items))
    if count > most:
        raise TooManyImages(field, f"Ask for at most {most} images at a time.")
    if body.items is None:
        return in_a_row(body, served.runtime, seed)
    check_alone(body)
    card, digest = served.runtime.card, served.runtime.digest
    return await asyncio.to_thread(plan_of_items, body, body.items, card, digest, seed)


def _has(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names the image (RFC 9110, section 13.1.2: any of a list, weak ones too, or `*`)."""
    named = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in named or "*" in named


def _from(cache: Cache, etag: str) -> bytes | None:
    content = cache.get(etag)
    if content is not None:
        metrics.CACHE_HITS.inc()
    return content
