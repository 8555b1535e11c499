"""`POST /v1/images`: images of the same codes, or items with codes of their own."""

from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field, SkipValidation

from latent.origin import Index, Seed
from service.api.answer import answer, describe_answers
from service.api.context import choose_version, context_of
from service.api.fields import STILLS, Model, Scale, choose_format, format_field, one_of, seed_or_choose
from service.encoding.formats import Rendering
from service.errors import FieldConflict, TooManyImages
from service.http.request import Answer, Request
from service.planning.items import first_seed, plan_items
from service.planning.plan import Plan, plan_row
from service.planning.point import AskedCodes, Point
from service.registry.catalogue import Served

ANSWERS = describe_answers(STILLS)

ALONE = {"n": "n", "class_": "class", "style": "style", "noise": "noise"}
"""Fields that each item has for itself: the attributes of a request, and their names in the body."""


class ImagesRequest(AskedCodes):
    """Codes and a seed, or items with codes of their own. Every field may be left out."""

    model_config = ConfigDict(
        title="Images",
        json_schema_extra={
            "examples": [
                {"class": "7", "style": [0.5, -0.5], "seed": 1, "n": 4},
                {"class": {"3": 0.5, "8": 0.5}, "seed": 1, "n": 9, "truncation": 0.7, "scale": 4},
                {"items": [{"class": "7"}, {"class": {"4": 1, "9": 2}, "seed": 5}], "seed": 1, "format": "json"},
            ]
        },
    )

    model: Model = None
    seed: Seed | None = Field(
        default=None,
        description="Decides all that is drawn. If absent, the server chooses a seed and sends it in `Faussaire-Seed`.",
    )
    index: Index = Field(
        default=0,
        description="Which image of the seed comes first: image 7 of a request for many is `index` 7 alone.",
    )
    n: int = Field(default=1, ge=1, description="How many images.")
    items: Annotated[list[SkipValidation[Point]], Field(min_length=1)] | None = Field(
        default=None,
        description="Images with codes of their own, at most as many as `n` may be, in place of `n`, `class`, `style` "
        "and `noise`. An item without a seed has the request's seed, and as its index the request's index plus the "
        "item's place. An item without a truncation has the request's. An invalid item fails alone: the header "
        "`Faussaire-Failed` has its place, its tile is black, and JSON and zip say what was wrong.",
    )
    format: Annotated[str, one_of(STILLS)] | None = format_field(STILLS)
    scale: Scale = 1


async def draw_images(request: Request, body: ImagesRequest) -> Answer:
    """Draw images.

    The same model, codes, seed and index give the same image, whatever else the server does. With `items`, each image
    has codes of its own, and an invalid item fails alone.
    """
    seed = seed_or_choose(body.seed)
    deciding = seed if body.items is None else first_seed(body.items, seed)
    served = choose_version(request, body.model, deciding)
    rendering = Rendering(choose_format(request, body.format, STILLS), body.scale)
    plan = await _plan(request, body, served, seed)
    return await answer(request, served, plan, rendering)


async def _plan(request: Request, body: ImagesRequest, served: Served, seed: int) -> Plan:
    items, max_images = body.items, context_of(request).settings.max_images
    field, count = ("n", body.n) if items is None else ("items", len(items))
    if count > max_images:
        raise TooManyImages(field, f"Ask for at most {max_images} images at a time.")
    served.batcher.require_room(count)
    if items is None:
        return plan_row(body, served.version, seed, body.index, body.n)
    for attribute, name in ALONE.items():
        if getattr(body, attribute) != ImagesRequest.model_fields[attribute].default:
            raise FieldConflict(name, f"Leave '{name}' out beside 'items': each item is one image with its own codes.")
    plan = partial(plan_items, items, served.version, seed, body.index, body.truncation)
    return await context_of(request).encoding.run(plan)
