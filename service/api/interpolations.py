"""`POST /v1/interpolations`: the way from one image's codes to another's, frame by frame."""

import numpy as np
from fastapi import Request, Response
from pydantic import ConfigDict, Field

from latent import Codes, between
from service.api.answer import answered
from service.api.fields import Model, Point, seed_of
from service.api.models import Canary, Served, chosen
from service.api.traversals import FORMATS
from service.errors import TooManyImages, within
from service.http.headers import Playing, rendering_of
from service.planning.codes import codes_of
from service.planning.items import seed_and_index
from service.planning.plan import Plan
from service.planning.provenance import Source, source_of


class InterpolationRequest(Playing):
    """Two points of the latent space, and how many frames from one to the other."""

    model_config = ConfigDict(
        title="Interpolation",
        json_schema_extra={
            "examples": [
                {"from": {"class": "3", "seed": 1}, "to": {"class": "8", "seed": 2}, "frames": 24},
                {"from": {"class": "4"}, "to": {"class": "9"}, "frames": 12, "format": "apng", "loop": True},
            ]
        },
    )

    model: Model = None
    from_: Point = Field(alias="from", description="The first frame; a seed that is absent is chosen by the server.")
    to: Point = Field(description="The last frame; where it has no seed, that of `from`, and its index too.")
    frames: int = Field(default=24, ge=2, le=240, description="With the first and the last.")


async def draw_interpolation(body: InterpolationRequest, request: Request, canary: Canary = None) -> Response:
    """Draw the way from one image's codes to another's.

    Noise goes along a sphere's arc, its length evenly from one to the other, and is clipped to the range of noise that
    may be given; class weights and style codes go straight. The first and the last frame are, byte for byte, what
    `from` and `to` draw alone.
    """
    seed = seed_of(body.from_.seed)
    served = chosen(request, body.model, seed, canary)
    rendering = rendering_of(request, body, FORMATS)
    most = request.app.state.settings.max_images
    if body.frames > most:
        raise TooManyImages("frames", f"Ask for at most {most} images at a time.")
    return await answered(request, served, _planned(body, served, seed), rendering)


def _planned(body: InterpolationRequest, served: Served, seed: int) -> Plan:
    card, digest = served.runtime.card, served.runtime.digest
    index = body.from_.index or 0
    with within("from"):
        start, first = codes_of(body.from_, card.space, seed, index), source_of(body.from_, seed, index)
    own_seed, own_index = seed_and_index(body.to, seed, index)
    with within("to"):
        end, last = codes_of(body.to, card.space, own_seed, own_index), source_of(body.to, own_seed, own_index)
    codes = between(card.space, start, end, body.frames)
    inner = _source_between(start, end, first, last)
    return Plan(card, digest, seed, index, codes, [first, *[inner] * (body.frames - 2), last])


def _source_between(start: Codes, end: Codes, first: Source, last: Source) -> Source:
    """Noise that moves is nobody's draw, and so each image tells its own."""
    still = first == last and np.array_equal(start.noise, end.noise)
    return first if still else Source(first.seed, first.index, given=True)
