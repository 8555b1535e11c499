"""An interpolation: the way from one point of the latent space to another, frame by frame."""

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from latent import Codes, ModelVersion, between
from service.errors import TooManyImages, within
from service.planning.codes import codes_of
from service.planning.plan import Plan
from service.planning.point import Point
from service.planning.provenance import Source, source_of


class Interpolation(BaseModel):
    """Two points, and the number of frames from one to the other."""

    model_config = ConfigDict(extra="forbid", strict=True)

    from_: Point = Field(alias="from", description="The first frame. The server chooses a seed if it has none.")
    to: Point = Field(description="The last frame. Without a seed, it has the seed and index of `from`.")
    frames: int = Field(default=24, ge=2, le=240, description="Frames, the first and the last included.")


def plan_interpolation(asked: Interpolation, version: ModelVersion, seed: int, max_images: int) -> Plan:
    """Plan the frames. `seed` is the first frame's. Raises TooManyImages and the errors of `codes_of`."""
    if asked.frames > max_images:
        raise TooManyImages("frames", f"Ask for at most {max_images} images at a time.")
    space, index = version.card.space, asked.from_.index or 0
    with within("from"):
        start, first = codes_of(asked.from_, space, seed, index), source_of(asked.from_, seed, index)
    last_seed, last_index = asked.to.seed_and_index(seed, index)
    with within("to"):
        end, last = codes_of(asked.to, space, last_seed, last_index), source_of(asked.to, last_seed, last_index)
    codes = between(space, start, end, asked.frames)
    inner = _source_between(start, end, first, last)
    return Plan(version, seed, index, codes, [first, *[inner] * (asked.frames - 2), last], between=True)


def _source_between(start: Codes, end: Codes, first: Source, last: Source) -> Source:
    """The source of the frames in between. No seed draws noise that moves, so each frame records its noise."""
    still = first == last and np.array_equal(start.noise, end.noise)
    return first if still else Source(first.seed, first.index, given=True)
