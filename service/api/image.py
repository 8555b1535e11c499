"""`GET /v1/image`: one image by query string, for an `<img>` tag."""

import math
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from latent.origin import Index, Name, Seed
from service.api.answer import PROBLEMS, check_scale, draw, headers_of
from service.api.context import CANARY, charge, choose_version, context_of, observe_version
from service.api.fields import Model, Scale
from service.encoding.cache import Kept, Key, etag_of
from service.encoding.formats import Rendering, text_of
from service.errors import InvalidField
from service.http.headers import ANY_PAGE, names_etag
from service.http.problems import describe
from service.http.request import Answer, Headers, Request
from service.planning.plan import plan_row
from service.planning.point import AskedCodes, Truncation
from service.registry.catalogue import Served
from service.telemetry import metrics

ANSWERS: dict[int, dict[str, Any]] = {
    200: {"content": {"image/png": {}}, "description": "The image"},
    304: {"description": "The client has the image: `If-None-Match` names its `ETag`"},
    404: describe("There is no such model, or not in this version"),
    422: PROBLEMS[422],
    429: PROBLEMS[429],
}

FOR_EVER = b"public, max-age=31536000, immutable"
"""For a URL that names the model's version: its image never changes."""

ASK_AGAIN = b"public, no-cache"
"""For a URL that names the model alone, which may be replaced: a client asks again, and gets 304 until it is."""


PNG = b"image/png"

ELSEWHERE = {"n", "format", "items", "noise"}
"""What `POST /v1/images` has, and a link has not."""

ALIKE = 0.75
"""How much a parameter is like a known one before it is taken for a misspelling, from 0 to 1."""


class ImageQuery(BaseModel):
    """One image by query string. Every parameter may be left out."""

    model_config = ConfigDict(extra="allow")

    model: Model = None
    version: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12,64}$")] | None = Field(
        default=None,
        description="The digest of one version of `model`, or at least its first 12 digits. The image then never "
        "changes.",
    )
    class_: Name | None = Field(
        default=None, alias="class", description="The class by name. Drawn by the seed if absent.", examples=["7"]
    )
    style: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        default=None,
        description="Style codes in the card's order: numbers with commas between. The seed draws absent codes.",
        examples=["0.5,-0.5"],
    )
    seed: Seed = Field(default=0, description="Decides all that is drawn.")
    index: Index = Field(default=0, description="Which image of the seed.")
    truncation: Truncation = 1.0
    scale: Scale = 1

    @property
    def names_version(self) -> bool:
        return self.version is not None or "@" in (self.model or "")

    def codes(self) -> AskedCodes:
        """Raises InvalidField."""
        styles = None if self.style is None else _numbers("style", self.style)
        return AskedCodes.model_validate({"class": self.class_, "style": styles, "truncation": self.truncation})


async def get_image(request: Request, query: ImageQuery) -> Answer:
    """Draw one image, for an `<img>` tag.

    The service knows the image's `ETag` before it draws: a client that has the image gets 304 without any inference. A
    client may keep the image for ever if the URL names the version, by `version` or within `model`.
    """
    context, catalogue = context_of(request), context_of(request).catalogue
    _check_others(query.model_extra or {})
    served = _choose(request, query)
    plan = plan_row(query.codes(), served.version, query.seed, query.index, 1)
    rendering = Rendering("png", query.scale)
    check_scale(rendering, plan, context.settings)
    request.observation.images = plan.count  # asked for, though perhaps not drawn
    text = text_of(plan, rendering)
    etag = etag_of(text, rendering)
    headers: Headers = [
        (b"etag", etag),
        (b"cache-control", FOR_EVER if query.names_version else ASK_AGAIN),
        ANY_PAGE,
    ]
    if not query.names_version:
        headers.append((b"vary", b"Faussaire-Canary"))
    if names_etag(request.header(b"if-none-match") or "", etag.decode("ascii")):
        return Answer(headers=headers, status=304)
    charge(request, plan.count)
    content, timing = await draw(request, served, plan, rendering, text)
    more, observation = headers_of(plan), request.observation
    kept = Kept(content, etag.decode("ascii"), headers, more, observation.model, observation.role, catalogue)
    context.cache.put(_key(request), kept)
    return Answer(content, PNG, [*headers, *more, (b"server-timing", timing)])


def recall_image(request: Request) -> Answer | None:
    """The answer to a query that was answered before, if it still holds."""
    context = context_of(request)
    kept = context.cache.get(_key(request), context.catalogue)
    if kept is None:
        return None
    observation = request.observation
    observation.model, observation.role, observation.images = kept.model, kept.role, 1
    if names_etag(request.header(b"if-none-match") or "", kept.etag):
        return Answer(headers=kept.headers, status=304)
    metrics.count(metrics.CACHE_HITS)
    return Answer(kept.content, PNG, [*kept.headers, *kept.more])


def _key(request: Request) -> Key:
    return request.scope["query_string"], request.header(CANARY)


def _check_others(others: Iterable[str]) -> None:
    """Raises InvalidField for what was meant for this endpoint. Whoever shares a link adds parameters of his own."""
    known = [field.alias or name for name, field in ImageQuery.model_fields.items()]
    for name in others:
        if name in ELSEWHERE:
            raise InvalidField(name, "Leave it out, or use POST /v1/images.")
        if meant := get_close_matches(name, known, 1, ALIKE):
            raise InvalidField(name, f"There is no such parameter; did you mean '{meant[0]}'?")


def _numbers(field: str, text: str) -> list[float]:
    """Raises InvalidField."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)) or "_" in text:
        raise InvalidField(field, "Give numbers with commas between, such as 0.5,-0.5.")
    return numbers


def _choose(request: Request, query: ImageQuery) -> Served:
    """Raises UnknownModel and OtherVersion."""
    if query.version is None:
        return choose_version(request, query.model, query.seed)
    catalogue = context_of(request).catalogue
    return observe_version(request, catalogue, catalogue.find_version(query.model, query.version))
