"""`POST /v1/traversals`: a grid of images over two axes, or an animation along one."""

import asyncio
from itertools import product

from fastapi import Request, Response
from pydantic import ConfigDict, Field

from latent import Codes
from service.api.answer import answered, answers
from service.api.fields import Asked, Index, Model, Seed, seed_of
from service.api.models import Canary, Served, chosen
from service.encoding.animation import ANIMATIONS
from service.encoding.formats import Format
from service.errors import FieldConflict, TooManyImages, within
from service.http.headers import Playing, rendering_of
from service.planning.axes import Axis, SeedAxis, Step, moved, steps_of
from service.planning.codes import asked_styles, codes_of
from service.planning.plan import Plan
from service.planning.provenance import source_of

GRIDS: tuple[Format, ...] = ("sheet", "zip", "json", "npy")
"""What `Accept` chooses from, best first, where there are two axes."""

FORMATS: tuple[Format, ...] = (*GRIDS, *ANIMATIONS)

PLAYED = answers(*FORMATS)


class TraversalRequest(Asked, Playing):
    """What is held still, and the axes."""

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
    seed: Seed | None = Field(
        default=None,
        description="Decides all that is drawn, the same for all images; chosen by the server, and told in "
        "`Faussaire-Seed`, when absent.",
    )
    index: Index = Field(default=0, description="Which image of the seed.")
    rows: Axis | None = Field(default=None, description="What moves from row to row; nothing when absent.")
    columns: Axis = Field(description="What moves from column to column, or from frame to frame.")


async def draw_traversal(body: TraversalRequest, request: Request, canary: Canary = None) -> Response:
    """Draw a grid of images over two axes, or an animation along one.

    What no axis moves is the same in all images; each is the image that `POST /v1/images` draws of the same codes.
    """
    seed = _first_seed(body)
    served = chosen(request, body.model, seed, canary)
    rendering = rendering_of(request, body, FORMATS if body.rows is None else GRIDS)
    if rendering.format in ANIMATIONS and body.rows is not None:
        raise FieldConflict("format", f"Leave 'rows' out of an animation, or ask for one of: {', '.join(GRIDS)}.")
    _check_moved(body, served)
    rows, columns = _steps(body, served, request.app.state.settings.max_images)
    plan = await asyncio.to_thread(_planned, body, served, seed, rows, columns)
    return await answered(request, served, plan, rendering)


def _first_seed(body: TraversalRequest) -> int:
    moving = [axis for axis in (body.rows, body.columns) if isinstance(axis, SeedAxis)]
    return moving[0].seed[0] if moving else seed_of(body.seed)


def _check_moved(body: TraversalRequest, served: Served) -> None:
    """Raises FieldConflict where something is moved twice, or moved and held, and UnknownStyle."""
    space = served.runtime.card.space
    with within("columns"):
        moving = {moved(body.columns, space): "columns"}
    if body.rows is not None:
        with within("rows"):
            what = moved(body.rows, space)
        if what in moving:
            raise FieldConflict("rows", f"'rows' and 'columns' both move {what}; let one of them move something else.")
        moving[what] = "rows"
    held = {"class": body.class_, "seed": body.seed} | ({"noise": body.noise} if "seed" in moving else {})
    for field, value in held.items():
        if value is not None and (field in moving or field == "noise"):
            raise FieldConflict(field, f"Leave '{field}' out: an axis of the traversal moves it.")
    for place in asked_styles(body.style, space):
        name = space.styles[place].name
        if f"style '{name}'" in moving:
            raise FieldConflict("style", f"Leave '{name}' out, and give others by name: an axis moves it.")


def _steps(body: TraversalRequest, served: Served, most: int) -> tuple[list[Step], list[Step]]:
    """Raises UnknownClass, StyleOutOfRange and TooManyImages."""
    space = served.runtime.card.space
    with within("columns"):
        columns = steps_of(body.columns, space)
    if body.rows is None:
        rows = [Step()]
    else:
        with within("rows"):
            rows = steps_of(body.rows, space)
    if len(rows) * len(columns) > most:
        field = "columns" if body.rows is None else "rows"
        raise TooManyImages(field, f"Rows times columns may be {most} at most; these are {len(rows) * len(columns)}.")
    return rows, columns


def _planned(body: TraversalRequest, served: Served, seed: int, rows: list[Step], columns: list[Step]) -> Plan:
    card, digest = served.runtime.card, served.runtime.digest
    moving = [step.seed for step in (*rows, *columns) if step.seed is not None]
    drawn = {each: codes_of(body, card.space, each, body.index) for each in moving or [seed]}
    codes: list[Codes] = []
    seeds: list[int] = []
    for row, column in product(rows, columns):
        seeds.append(next((step.seed for step in (row, column) if step.seed is not None), seed))
        codes.append(column.of(row.of(drawn[seeds[-1]])))
    sources = [source_of(body, each, body.index) for each in seeds]
    return Plan(card, digest, seed, body.index, Codes.concatenate(codes), sources, columns=len(columns))
