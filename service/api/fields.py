"""Fields that several endpoints share, and how `Accept` and the fields together decide the rendering."""

import secrets
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetPydanticSchema, StringConstraints
from pydantic_core import core_schema

from service.encoding.animation import FPS
from service.encoding.formats import FORMATS, Rendering
from service.errors import FieldConflict, NothingAccepted
from service.http.headers import choose_media_type
from service.http.request import Request

CHOSEN_SEEDS = 2**53
"""The server chooses seeds below this: JavaScript's numbers hold them exactly."""

STILLS = [name for name, row in FORMATS.items() if not row.plays]
PLAYING = [name for name, row in FORMATS.items() if row.plays]
GRIDS = [name for name in STILLS if name != "png"]  # a grid is never one image

Scale = Annotated[
    int, Field(ge=1, le=16, description="Each pixel becomes this many pixels wide and high; 1 only for `npy`.")
]
Model = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=128)] | None,
    Field(
        description="A name of `GET /v1/models`; or one version, `NAME@` and at least the first 12 digits of its "
        "digest. The default model if absent."
    ),
]


def one_of(names: Iterable[str]) -> Any:
    """Marks a string as one of these names, like `Literal`, but from a table."""
    return GetPydanticSchema(lambda _type, _handler: core_schema.literal_schema(list(names)))


def format_field(names: Sequence[str]) -> Any:
    """A field that names one of these formats, or none."""
    meanings = "; ".join(f"`{name}`, {FORMATS[name].meaning}" for name in names)
    return Field(default=None, description=f"{meanings}. If absent, `Accept` decides, else `{names[0]}`.")


class Playing(BaseModel):
    """How images that follow one another are answered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Annotated[str, one_of([*GRIDS, *PLAYING])] | None = format_field([*GRIDS, *PLAYING])
    scale: Scale = 1
    fps: Annotated[int, Field(ge=1, le=50)] = Field(default=FPS, description="Frames of an animation a second.")
    loop: bool = Field(default=False, description="Whether an animation plays there and back.")


def seed_or_choose(asked: int | None) -> int:
    """The asked seed, or one that the server chooses."""
    return secrets.randbelow(CHOSEN_SEEDS) if asked is None else asked


def choose_format(request: Request, named: str | None, offered: Sequence[str]) -> str:
    """The named format, or the offered one that `Accept` likes most. Raises NothingAccepted."""
    if named is not None:
        return named
    best = _best_format(request.header(b"accept") or "", tuple(offered))
    if best is None:
        media_types = ", ".join(dict.fromkeys(FORMATS[name].media_type for name in offered))
        raise NothingAccepted("Accept", f"Accept one of: {media_types}; or name a 'format' in the body.")
    return best


@lru_cache
def _best_format(accept: str, offered: tuple[str, ...]) -> str | None:
    """The format that `Accept` likes most; of equals the first."""
    by_media_type = {FORMATS[name].media_type: name for name in reversed(offered)}
    media_types = list(dict.fromkeys(FORMATS[name].media_type for name in offered))
    best = choose_media_type(accept, media_types)
    return None if best is None else by_media_type[best]


def choose_rendering(request: Request, body: Playing, offered: Sequence[str]) -> Rendering:
    """Raises NothingAccepted, and FieldConflict if a still format has fields of an animation."""
    name = choose_format(request, body.format, offered)
    if FORMATS[name].plays:
        return Rendering(name, body.scale, body.fps, body.loop)
    for field in ("fps", "loop"):
        if getattr(body, field) != Playing.model_fields[field].default:
            raise FieldConflict(field, f"Leave '{field}' out, or ask for an animation: {', '.join(PLAYING)}.")
    return Rendering(name, body.scale)
