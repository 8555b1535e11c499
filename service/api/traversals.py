"""`POST /v1/traversals`: a grid of images over two axes, or an animation along one."""

from pydantic import ConfigDict

from service.api.answer import answer, describe_answers
from service.api.context import choose_version, context_of
from service.api.fields import GRIDS, PLAYING, Model, Playing, choose_rendering, seed_or_choose
from service.encoding.formats import FORMATS
from service.errors import FieldConflict
from service.http.request import Answer, Request
from service.planning.traversal import Traversal, plan_traversal

OFFERED = [*GRIDS, *PLAYING]

ANSWERS = describe_answers(OFFERED)


class TraversalRequest(Traversal, Playing):
    model_config = ConfigDict(
        title="Traversal",
        json_schema_extra={
            "examples": [
                {"rows": {"class": "all"}, "columns": {"style": 0, "steps": 11}, "seed": 1},
                {"rows": {"seed": [1, 2, 3]}, "columns": {"class": ["3", "8"]}, "style": [0.5], "format": "json"},
                {"columns": {"class": "all"}, "seed": 1},
                {
                    "columns": {"style": 1, "from": -0.5, "to": 0.5},
                    "class": "7",
                    "seed": 1,
                    "format": "gif",
                    "loop": True,
                },
            ]
        },
    )

    model: Model = None


async def draw_traversal(request: Request, body: TraversalRequest) -> Answer:
    """Draw a grid of images over two axes, or an animation along one.

    All codes that no axis moves are the same in all images. Each image is the one that `POST /v1/images` draws from
    the same codes.
    """
    seed = body.first_seed(seed_or_choose(body.seed))
    served = choose_version(request, body.model, seed)
    rendering = choose_rendering(request, body, OFFERED if body.rows is None else GRIDS)
    if FORMATS[rendering.format].plays and body.rows is not None:
        raise FieldConflict("format", f"Leave 'rows' out of an animation, or ask for one of: {', '.join(GRIDS)}.")
    context = context_of(request)
    plan = await context.encoding.run(lambda: plan_traversal(body, served.version, seed, context.settings.max_images))
    return await answer(request, served, plan, rendering)
