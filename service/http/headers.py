"""Which of the formats that there are a request wants: the one that it names, or what `Accept` likes most."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from service.api.fields import Scale
from service.encoding.animation import ANIMATIONS, FPS
from service.encoding.formats import MEDIA_TYPE, Format, Rendering
from service.errors import FieldConflict, NothingAccepted


class Playing(BaseModel):
    """How images that follow one another are answered."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["sheet", "zip", "json", "npy", "apng", "webp", "gif"] | None = Field(
        default=None,
        description="A sheet; `zip`, a PNG an image and `manifest.json`; `json`, PNGs in base64; `npy`, NumPy's own; "
        "or an animation: `apng`, `webp`, which loses nothing, or `gif`, which has 256 colours. When absent, what "
        "`Accept` likes most, and else `sheet`.",
    )
    scale: Scale = 1
    fps: Annotated[int, Field(ge=1, le=50)] = Field(default=FPS, description="Frames of an animation a second.")
    loop: bool = Field(default=False, description="Whether an animation plays there and back.")


def format_of(request: Request, named: Format | None, offered: Sequence[Format]) -> Format:
    """`named`, or by `Accept` one of `offered`, which is in the order of our own liking. Raises NothingAccepted."""
    if named is not None:
        return named
    accept = ",".join(request.headers.getlist("accept"))
    best = max(offered, key=lambda kind: quality(accept, MEDIA_TYPE[kind]))
    if quality(accept, MEDIA_TYPE[best]) == 0:
        types = ", ".join(dict.fromkeys(MEDIA_TYPE[kind] for kind in offered))
        raise NothingAccepted("Accept", f"Accept one of: {types}; or name a 'format' in the body.")
    return best


def rendering_of(request: Request, body: Playing, offered: Sequence[Format]) -> Rendering:
    """Raises NothingAccepted and FieldConflict."""
    kind = format_of(request, body.format, offered)
    if kind in ANIMATIONS:
        return Rendering(kind, body.scale, body.fps, body.loop)
    for field in ("fps", "loop"):
        if field in body.model_fields_set:
            raise FieldConflict(field, f"Leave '{field}' out, or ask for a format that plays: {', '.join(ANIMATIONS)}.")
    return Rendering(kind, body.scale)


def quality(accept: str, media_type: str) -> float:
    """How much `Accept` likes a type, from 0, not at all, to 1 (RFC 9110, section 12.5.1).

    The range that fits most closely decides; a header that is empty likes everything.
    """
    if not accept.strip(" ,"):
        return 1.0
    fits = {media_type: 3, media_type.split("/")[0] + "/*": 2, "*/*": 1}
    found = [(fits[kind], weight) for kind, weight in map(_range, accept.split(",")) if kind in fits]
    return max(found, default=(0, 0.0))[1]


def _range(part: str) -> tuple[str, float]:
    """A media range and its quality; what cannot be read as a quality is none."""
    kind, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name == "q":
            return kind, _weight(value)
    return kind, 1.0


def _weight(value: str) -> float:
    try:
        weight = float(value)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
