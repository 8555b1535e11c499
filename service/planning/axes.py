"""The axes of a traversal: the codes that move along each, step by step."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from latent import Codes, LatentSpace
from latent.origin import Name, Number, Seed
from service.errors import UnknownClass
from service.planning.codes import check_style, class_place, class_weights, style_place

Place = Annotated[int, Field(ge=0)]


class ClassAxis(BaseModel):
    """Classes by name or place, or `all`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    class_: Literal["all"] | Annotated[list[Name | Place], Field(min_length=1)] = Field(alias="class")


class StyleAxis(BaseModel):
    """A style code, in even steps from one value to another."""

    model_config = ConfigDict(extra="forbid", strict=True)

    style: Name | Place = Field(description="The style code by name, or by its place in the card.")
    from_: Number | None = Field(default=None, alias="from", description="The least of its range if absent.")
    to: Number | None = Field(default=None, description="The most of its range if absent.")
    steps: int = Field(default=11, ge=2, le=64)


class SeedAxis(BaseModel):
    """Seeds. Each seed draws all codes that the request does not hold."""

    model_config = ConfigDict(extra="forbid", strict=True)

    seed: Annotated[list[Seed], Field(min_length=1)]


def _kind(value: Any) -> str | None:
    kinds: dict[str, str] = {"class": "ClassAxis", "style": "StyleAxis", "seed": "SeedAxis"}
    members = value if isinstance(value, dict) else {}
    return next((kind for key, kind in kinds.items() if key in members), None)


Axis = Annotated[
    Annotated[ClassAxis, Tag("ClassAxis")]
    | Annotated[StyleAxis, Tag("StyleAxis")]
    | Annotated[SeedAxis, Tag("SeedAxis")],
    Discriminator(
        _kind,
        custom_error_type="axis_kind",
        custom_error_message="An axis is an object with one of 'class', 'style' and 'seed'",
    ),
]


@dataclass(frozen=True)
class Step:
    """The codes that one step of an axis sets."""

    seed: int | None = None
    weights: NDArray[np.float32] | None = None
    """(C,)"""
    style: tuple[int, float] | None = None
    """A style code's place, and its value."""

    def apply(self, codes: Codes) -> Codes:
        """The codes of one image with this step's class weights or style code in their place."""
        classes, styles = codes.classes, codes.styles
        if self.weights is not None:
            classes = self.weights[None]
        if self.style is not None:
            styles = styles.copy()
            styles[:, self.style[0]] = self.style[1]
        return Codes(codes.noise, classes, styles)


def moving_code(axis: Axis, space: LatentSpace) -> str:
    """The code that an axis moves: `class`, `seed`, or `style 'NAME'`. Raises UnknownStyle."""
    if isinstance(axis, StyleAxis):
        return f"style '{space.styles[style_place(axis.style, space)].name}'"
    return "class" if isinstance(axis, ClassAxis) else "seed"


def steps_of(axis: Axis, space: LatentSpace) -> list[Step]:
    """Raises UnknownClass, UnknownStyle and StyleOutOfRange."""
    if isinstance(axis, SeedAxis):
        return [Step(seed=seed) for seed in axis.seed]
    if isinstance(axis, ClassAxis):
        return [Step(weights=weights) for weights in _class_steps(axis, space)]
    return [Step(style=style) for style in _style_steps(axis, space)]


def _class_steps(axis: ClassAxis, space: LatentSpace) -> list[NDArray[np.float32]]:
    if not space.classes:
        raise UnknownClass("class", "This model has no class codes; move a style code or seeds.")
    if axis.class_ == "all":
        return list(np.eye(len(space.classes), dtype=np.float32))
    return [class_weights(space.classes[class_place(asked, space)].name, space) for asked in axis.class_]


def _style_steps(axis: StyleAxis, space: LatentSpace) -> list[tuple[int, float]]:
    place = style_place(axis.style, space)
    code = space.styles[place]
    low = code.low if axis.from_ is None else axis.from_
    high = code.high if axis.to is None else axis.to
    check_style("from", space, place, low)
    check_style("to", space, place, high)
    return [(place, float(value)) for value in np.linspace(low, high, axis.steps)]
