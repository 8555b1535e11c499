"""What may be asked of `POST /v1/images`, and the codes that it means in a model's latent space."""

import secrets
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from latent import Codes, LatentSpace, draw_classes, draw_noise, draw_styles
from latent.noise import SEED_LIMIT
from service.errors import StyleOutOfRange, UnknownClass, UnknownStyle

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
DRAWN_SEEDS = 2**53
"""Seeds that the server chooses are below it: JavaScript's numbers hold them exactly."""

STYLES = r"^-?\d{1,3}(\.\d{1,9})?(,-?\d{1,3}(\.\d{1,9})?)*$"
"""Decimal numbers with commas between."""

Number = Annotated[float, Field(allow_inf_nan=False)]


class ImagesRequest(BaseModel):
    """Codes and a seed; every field may be left out."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        title="Images",
        json_schema_extra={"examples": [{"class": "7", "style": [0.5, -0.5], "seed": 1, "n": 4}]},
    )

    model: Name | None = Field(default=None, description="A name of `GET /v1/models`; the default model when absent.")
    class_: Name | Annotated[int, Field(ge=0)] | None = Field(
        default=None,
        alias="class",
        description="The class by name, or by its place in the card; drawn for each image when absent.",
    )
    style: list[Number] | dict[str, Number] | None = Field(
        default=None,
        description="The style codes in the card's order, or by name; what is absent is drawn for each image.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=SEED_LIMIT,
        description="Decides all that is drawn; chosen by the server, and told in `Faussaire-Seed`, when absent.",
    )
    index: int = Field(
        default=0,
        ge=0,
        lt=SEED_LIMIT // 2,
        description="Which image of the seed comes first: image 7 of a request for many is `index` 7 alone.",
    )
    n: int = Field(default=1, ge=1, description="How many images; several come as one sheet, row by row.")


class ImageQuery(BaseModel):
    """One image by query string; every parameter may be left out."""

    model_config = ConfigDict(extra="forbid")

    model: Name | None = Field(default=None, description="A name of `GET /v1/models`; the default model when absent.")
    version: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{12,64}$")] | None = Field(
        default=None, description="Its digest, or the first 12 digits of it at least: the image then never changes."
    )
    class_: Name | None = Field(
        default=None, alias="class", description="The class by name; drawn by the seed when absent."
    )
    style: Annotated[str, StringConstraints(pattern=STYLES)] | None = Field(
        default=None,
        description="Style codes with commas between, in the card's order; what is absent is drawn by the seed.",
        examples=["0.5,-0.5"],
    )
    seed: int = Field(default=0, ge=0, lt=SEED_LIMIT, description="Decides all that is drawn.")
    index: int = Field(default=0, ge=0, lt=SEED_LIMIT // 2, description="Which image of the seed.")

    def images_request(self) -> ImagesRequest:
        """The same as a body of `POST /v1/images`."""
        styles = None if self.style is None else [float(value) for value in self.style.split(",")]
        fields = {"model": self.model, "class": self.class_, "style": styles, "seed": self.seed, "index": self.index}
        return ImagesRequest.model_validate(fields)


def seed_of(request_seed: int | None) -> int:
    """The seed that was asked for, or one that the server chooses."""
    return secrets.randbelow(DRAWN_SEEDS) if request_seed is None else request_seed


def codes_of(request: ImagesRequest, space: LatentSpace, seed: int) -> Codes:
    """The codes of the request's images. Raises UnknownClass, UnknownStyle and StyleOutOfRange."""
    return Codes(
        draw_noise(space, seed, request.index, request.n),
        space.one_hot(_classes(request, space, seed)),
        _styles(request, space, seed),
    )


def _classes(request: ImagesRequest, space: LatentSpace, seed: int) -> NDArray[np.intp]:
    if request.class_ is None:
        return draw_classes(space, seed, request.index, request.n)
    names = [code.name for code in space.classes]
    if not names:
        raise UnknownClass("class", "This model has no class codes; leave 'class' out.")
    if isinstance(request.class_, int) and request.class_ < len(names):
        return np.full(request.n, request.class_)
    if request.class_ not in names:
        raise UnknownClass("class", f"Choose one of: {', '.join(names)}; or a number below {len(names)}.")
    return np.full(request.n, names.index(str(request.class_)))


def _styles(request: ImagesRequest, space: LatentSpace, seed: int) -> NDArray[np.float32]:
    styles = draw_styles(space, seed, request.index, request.n)
    for place, value in asked_styles(request.style, space).items():
        styles[:, place] = value
    return styles


def asked_styles(style: list[float] | dict[str, float] | None, space: LatentSpace) -> dict[int, float]:
    """The value of each style code that was asked for, by its place. Raises UnknownStyle and StyleOutOfRange."""
    names = [code.name for code in space.styles]
    if isinstance(style, dict):
        known = style.keys() <= set(names)
        asked = [(name, names.index(name), value) for name, value in style.items()] if known else []
    else:
        known = len(style or []) <= len(names)
        asked = [(str(place), place, value) for place, value in enumerate(style or [])] if known else []
    if not known:
        raise UnknownStyle("style", _known_styles(names))
    for key, place, value in asked:
        code = space.styles[place]
        if not code.low <= value <= code.high:
            raise StyleOutOfRange(f"style.{key}", f"'{code.name}' must be from {code.low:g} to {code.high:g}.")
    return {place: value for _, place, value in asked}


def _known_styles(names: list[str]) -> str:
    if not names:
        return "This model has no style codes; leave 'style' out."
    return f"The model has {len(names)} style codes, in this order: {', '.join(names)}."
