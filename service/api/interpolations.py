"""`POST /v1/interpolations`: the way from one image's codes to another's, frame by frame."""

from pydantic import ConfigDict

from service.api.answer import answer, describe_answers
from service.api.context import choose_version, context_of
from service.api.fields import GRIDS, PLAYING, Model, Playing, choose_rendering, seed_or_choose
from service.http.request import Answer, Request
from service.planning.interpolation import Interpolation, plan_interpolation

OFFERED = [*GRIDS, *PLAYING]

ANSWERS = describe_answers(OFFERED)


class InterpolationRequest(Interpolation, Playing):
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


async def draw_interpolation(request: Request, body: InterpolationRequest) -> Answer:
    """Draw the way from one image's codes to another's.

    The noise moves along an arc of a sphere, its length evenly from one to the other, and is clipped to the range that
    a request may give. Class weights and style codes move straight. The first and the last frame are, byte for byte,
    the images that `from` and `to` draw alone.
    """
    seed = seed_or_choose(body.from_.seed)
    served = choose_version(request, body.model, seed)
    rendering = choose_rendering(request, body, OFFERED)
    served.batcher.require_room(body.frames)
    plan = plan_interpolation(body, served.version, seed, context_of(request).settings.max_images)
    return await answer(request, served, plan, rendering)
