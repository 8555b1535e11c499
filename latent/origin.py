"""What our PNGs record in a text chunk: the codes that drew an image, or what drew the images of a sheet."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, model_validator

from latent.card import Digest
from latent.interpolation import between
from latent.noise import SEED_LIMIT, draw_classes, draw_noise, draw_styles
from latent.space import Codes, LatentSpace

KEYWORD = "faussaire"
"""The keyword of the text chunk."""

LONGEST = 1_000_000
"""Characters of a text chunk that are written and read. Most readers read no chunk that is longer than 2^20."""

INDEX_LIMIT = SEED_LIMIT // 2

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=0, lt=SEED_LIMIT)]
Index = Annotated[int, Field(ge=0, lt=INDEX_LIMIT)]
Share = Annotated[float, Field(gt=0, le=1)]


class Record(BaseModel):
    """Immutable JSON without unknown fields. What is absent has the value None."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)

    def text(self) -> str:
        """JSON in ASCII; equal records give equal text."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True)


class OfModel(Record):
    """What a version of a model drew."""

    model: Name
    digest: Digest


class Drawn(Record):
    """The codes of one image."""

    seed: Seed
    index: Index
    classes: dict[Name, Number] = Field(alias="class", description="The weight of each class, if it is not 0.")
    styles: dict[Name, Number]
    truncation: Share | None = None
    noise: list[Number] | None = Field(default=None, description="The generator's input, if the request gave noise.")

    def is_of(self, space: LatentSpace) -> bool:
        """Whether these are codes of that space. Anyone may write a text chunk, so they need not be."""
        ranges = {code.name: (np.float32(code.low), np.float32(code.high)) for code in space.styles}
        valid = is_blend_of(self.classes, space) if space.classes else not self.classes
        if not valid or self.styles.keys() != ranges.keys():
            return False
        styles_valid = all(low <= np.float32(self.styles[name]) <= high for name, (low, high) in ranges.items())
        return styles_valid and (self.noise is None or is_noise_of(self.noise, space))

    def codes(self, space: LatentSpace) -> Codes:
        """One row: what `is_of` that space."""
        weights = [[self.classes.get(code.name, 0.0) for code in space.classes]]
        styles = [[self.styles[code.name] for code in space.styles]]
        noise = noise_of(space, self.seed, self.index, 1, self.noise, self.truncation or 1.0)
        return Codes(noise, np.array(weights, np.float32), np.array(styles, np.float32))


class ImageOrigin(Drawn, OfModel):
    """The model and the codes of one image."""


class SheetOrigin(OfModel):
    """The model, and the request for several images of one seed in a row; or the codes of each image."""

    seed: Seed
    index: Index
    n: int = Field(ge=1, lt=SEED_LIMIT)
    class_: Name | dict[Name, Number] | None = Field(default=None, alias="class")
    style: dict[Name, Number] | None = None
    truncation: Share | None = None
    noise: list[Number] | None = None
    columns: Annotated[int, Field(ge=1)] | None = Field(default=None, description="If the request gave their number.")
    images: list[Drawn | None] | Digest | None = Field(
        default=None,
        description="The codes of each image, if they have codes of their own, None for a black one; of two ends "
        "alone, if all others lie between. Or the SHA-256 of these codes, if they are too long.",
    )

    @model_validator(mode="after")
    def _has_all_images(self) -> Self:
        if isinstance(self.images, list) and len(self.images) not in {self.n, min(self.n, 2)}:
            raise ValueError("there are as many images as `n` says, or two ends")
        return self

    @property
    def ends(self) -> tuple[Drawn, Drawn] | None:
        """The first and the last image, if all others lie on the way from one to the other."""
        if not isinstance(self.images, list) or len(self.images) == self.n:
            return None
        first, last = self.images
        return None if first is None or last is None else (first, last)

    @property
    def places(self) -> list[int]:
        """The places of the images that are not black."""
        if not isinstance(self.images, list) or len(self.images) != self.n:
            return list(range(self.n))
        return [place for place, image in enumerate(self.images) if image is not None]

    def is_of(self, space: LatentSpace) -> bool:
        """Whether these are codes of that space."""
        if isinstance(self.images, list):
            given = [image for image in self.images if image is not None]
            return bool(given) and all(image.is_of(space) for image in given)
        valid = self.class_ is None or is_blend_of(self._blend, space)
        ranges = {code.name: (np.float32(code.low), np.float32(code.high)) for code in space.styles}
        styles = self.style or {}
        if not valid or not styles.keys() <= ranges.keys():
            return False
        within = all(ranges[name][0] <= np.float32(value) <= ranges[name][1] for name, value in styles.items())
        return within and (self.noise is None or is_noise_of(self.noise, space))

    def codes(self, space: LatentSpace) -> Codes:
        """One row for each of `places`: what `is_of` that space."""
        if self.ends is not None:
            first, last = self.ends
            return between(space, first.codes(space), last.codes(space), self.n)
        if isinstance(self.images, list):
            return Codes.concatenate([image.codes(space) for image in self.images if image is not None])
        noise = noise_of(space, self.seed, self.index, self.n, self.noise, self.truncation or 1.0)
        styles = draw_styles(space, self.seed, self.index, self.n)
        for place, code in enumerate(space.styles):
            if self.style is not None and code.name in self.style:
                styles[:, place] = self.style[code.name]
        return Codes(noise, self._weights(space), styles)

    @property
    def _blend(self) -> dict[str, float]:
        """The weights of the classes that were asked for."""
        if isinstance(self.class_, str):
            return {self.class_: 1.0}
        return self.class_ or {}

    def _weights(self, space: LatentSpace) -> NDArray[np.float32]:
        """(n, C)"""
        if self.class_ is None:
            return space.one_hot(draw_classes(space, self.seed, self.index, self.n))
        row = np.array([self._blend.get(code.name, 0.0) for code in space.classes], np.float32)
        return np.tile(row, (self.n, 1))


Origin = ImageOrigin | SheetOrigin

_ORIGIN: TypeAdapter[Origin] = TypeAdapter(Origin)


def parse_origin(text: str) -> Origin | None:
    """The origin that a text chunk records; None if the text is not one of ours."""
    if len(text) > LONGEST:
        return None
    try:
        return _ORIGIN.validate_json(text)
    except ValidationError:
        return None


def noise_of(
    space: LatentSpace, seed: int, index: int, count: int, given: list[float] | None, truncation: float
) -> NDArray[np.float32]:
    """The noise of images of a seed in a row, (count, Z): drawn, or given for all, and then truncated."""
    rows = None if given is None else np.tile(np.array(given, np.float32), (count, 1))
    return truncate(draw_noise(space, seed, index, count) if rows is None else rows, truncation)


def truncate(noise: NDArray[np.float32], truncation: float) -> NDArray[np.float32]:
    return noise if truncation == 1 else (noise * np.float64(truncation)).astype(np.float32)


def is_blend_of(weights: dict[str, float], space: LatentSpace) -> bool:
    """Whether these are weights of the classes of that space, whose sum is 1."""
    known = weights.keys() <= {code.name for code in space.classes}
    return known and all(0 <= weight <= 1 for weight in weights.values()) and abs(sum(weights.values()) - 1) <= 1e-3


def is_noise_of(noise: list[float], space: LatentSpace) -> bool:
    return len(noise) == space.noise_size and all(abs(value) <= space.noise_limit for value in noise)
