"""`POST /v1/images` and `GET /v1/image`: from codes to PNG."""

import asyncio
import time
from typing import Annotated, Any

from fastapi import Query, Request, Response

from latent import Codes
from service import images, metrics
from service.batcher import Drawn
from service.cache import Cache, etag_of
from service.errors import OtherVersion, TooManyImages
from service.models import SHOWN_DIGITS, Served, find
from service.problems import described
from service.provenance import Origin, origin_of
from service.requests import ImageQuery, ImagesRequest, codes_of, seed_of
from service.settings import Settings

PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The image, or a sheet of several"},
    404: described("No such model"),
    413: described("The body is too large"),
    422: described("A field is not valid"),
    429: described("The queue is full: see Retry-After"),
}

ONE_PNG: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The image"},
    304: {"description": "The client has it: `If-None-Match` names its `ETag`"},
    404: described("No such model, or not in that version"),
    422: PNG[422],
    429: PNG[429],
}

FOR_EVER = "public, max-age=31536000, immutable"
"""What a URL draws that names the model's version too."""

ASK_AGAIN = "public, no-cache"
"""What it draws when not: the model of a name may be replaced. A client asks, and gets 304 while it has not been."""


async def draw_images(body: ImagesRequest, request: Request) -> Response:
    """Draw images.

    The same model, codes, seed and index give the same image, whatever else the server is doing.
    """
    settings: Settings = request.app.state.settings
    if body.n > settings.max_images:
        raise TooManyImages("n", f"Ask for at most {settings.max_images} images at a time.")
    served = find(request, body.model)
    seed = seed_of(body.seed)
    codes, origin = _decided(served, body, seed)
    content, timing = await _drawn(served, codes, origin)
    headers = _headers(served, seed, body.index) | {"ETag": etag_of(origin)} | timing
    return Response(content, media_type="image/png", headers=headers)


async def get_image(query: Annotated[ImageQuery, Query()], request: Request) -> Response:
    """Draw one image, for an `<img>` tag.

    Its `ETag` is known before it is drawn: a client that has the image is told so without any inference. With `version`
    in the URL, it may be kept for ever.
    """
    served, cache = find(request, query.model), request.app.state.cache
    if query.version is not None and not served.runtime.digest.startswith(query.version):
        now = served.runtime.digest[:SHOWN_DIGITS]
        raise OtherVersion("version", f"The version of '{served.runtime.card.name}' that is served is {now}.")
    body = query.images_request()
    codes, origin = _decided(served, body, query.seed)
    etag = etag_of(origin)
    kept = {"ETag": etag, "Cache-Control": ASK_AGAIN if query.version is None else FOR_EVER}
    if _has(request, etag):
        return Response(status_code=304, headers=kept)
    headers = kept | _headers(served, query.seed, query.index)
    content = _from(cache, etag)
    if content is None:
        content, timing = await _drawn(served, codes, origin)
        cache.put(etag, content)
        headers |= timing
    return Response(content, media_type="image/png", headers=headers)


def _headers(served: Served, seed: int, index: int) -> dict[str, str]:
    return {"Faussaire-Model": served.version, "Faussaire-Seed": str(seed), "Faussaire-Index": str(index)}


def _decided(served: Served, body: ImagesRequest, seed: int) -> tuple[Codes, Origin]:
    """All that decides the answer's bytes, known before anything is drawn."""
    card = served.runtime.card
    codes = codes_of(body, card.space, seed)
    return codes, origin_of(card, served.runtime.digest, codes, seed, body)


async def _drawn(served: Served, codes: Codes, origin: Origin) -> tuple[bytes, dict[str, str]]:
    """The PNG, and the header that tells where its time went."""
    drawn = await served.batcher.submit(codes)
    started = time.perf_counter()
    content = await _encode(drawn, origin)
    encoding = time.perf_counter() - started
    metrics.ENCODING_SECONDS.labels(served.runtime.card.name).observe(encoding)
    parts = {"queue": drawn.queued, "inference": drawn.inference, "encode": encoding}
    return content, {"Server-Timing": ", ".join(f"{name};dur={seconds * 1e3:.2f}" for name, seconds in parts.items())}


async def _encode(drawn: Drawn, origin: Origin) -> bytes:
    if len(drawn.images) == 1:
        return images.png(drawn.images[0], origin)
    return await asyncio.to_thread(lambda: images.png(images.sheet(drawn.images), origin))


def _has(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` names the image (RFC 9110, section 13.1.2: any of a list, weak ones too, or `*`)."""
    named = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    return etag in named or "*" in named


def _from(cache: Cache, etag: str) -> bytes | None:
    content = cache.get(etag)
    if content is not None:
        metrics.CACHE_HITS.inc()
    return content
