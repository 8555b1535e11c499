"""What our PNGs record in a text chunk: the codes that drew an image, or the request that drew a sheet."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from latent import Codes, LatentSpace, ModelVersion
from latent.decimals import shortest
from latent.noise import SEED_LIMIT
from service.planning.codes import style_values
from service.planning.point import AskedCodes, Index, Name, Number, Seed, Truncation

KEYWORD = "faussaire"
"""The keyword of the text chunk."""

LONGEST = 131_072
"""Characters of a text chunk that are read: twice what the longest noise needs."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Origin(BaseModel):
    """The model, seed and index that an image or a sheet was drawn from."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)

    model: Name
    digest: Digest
    seed: Seed
    index: Index

    def text(self) -> str:
        """JSON in ASCII; equal origins give equal text."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True)


class ImageOrigin(Origin):
    """The codes of one image."""

    classes: dict[Name, Number] = Field(alias="class", description="The weight of each class, if it is not 0.")
    styles: dict[Name, Number]
    truncation: Truncation | None = None
    noise: list[Number] | None = Field(default=None, description="The generator's input, if the request gave noise.")

    def is_of(self, space: LatentSpace) -> bool:
        """Whether these are codes of that space. Anyone may write a text chunk, so they need not be."""
        ranges = {code.name: (np.float32(code.low), np.float32(code.high)) for code in space.styles}
        if not self.classes.keys() <= {code.name for code in space.classes} or self.styles.keys() != ranges.keys():
            return False
        if space.classes and not np.isclose(sum(self.classes.values()), 1, atol=1e-3):
            return False
        weights_valid = all(0 <= weight <= 1 for weight in self.classes.values())
        styles_valid = all(low <= np.float32(self.styles[name]) <= high for name, (low, high) in ranges.items())
        return weights_valid and styles_valid and (self.noise is None or is_noise_of(self.noise, space))


class SheetOrigin(Origin):
    """The request for several images. Each image drew for itself what is absent."""

    n: int = Field(ge=1, lt=SEED_LIMIT)
    class_: Name | dict[Name, Number] | None = Field(default=None, alias="class")
    style: dict[Name, Number] | None = None
    truncation: Truncation | None = None
    noise: list[Number] | None = None
    images: Digest | None = Field(
        default=None, description="SHA-256 of the images' own origins, if each image has codes of its own."
    )


_ORIGIN: TypeAdapter[ImageOrigin | SheetOrigin] = TypeAdapter(ImageOrigin | SheetOrigin)


@dataclass(frozen=True)
class Source:
    """The seed, index and truncation of an image's noise."""

    seed: int
    index: int
    truncation: float = 1.0
    given: bool = False
    """Whether the request gave the noise. The image then records it."""


def source_of(asked: AskedCodes, seed: int, index: int) -> Source:
    return Source(seed, index, asked.truncation, asked.noise is not None)


def image_origin(version: ModelVersion, codes: Codes, source: Source) -> ImageOrigin:
    """The origin of the image of `codes`, one row."""
    weights = _class_weights(version.card.space, codes.classes[0])
    styles = by_name([code.name for code in version.card.space.styles], codes.styles[0])
    members = _noise_origin(version, codes, source) | {"class": weights, "styles": styles}
    return ImageOrigin.model_validate(members)


def sheet_origin(version: ModelVersion, codes: Codes, source: Source, asked: AskedCodes) -> SheetOrigin:
    """The origin of images of one seed in a row, all as `asked`. `source` is the first image's."""
    space = version.card.space
    members = _noise_origin(version, codes, source) | {"n": len(codes)}
    if asked.class_ is not None:
        weights = _class_weights(space, codes.classes[0])
        members["class"] = next(iter(weights)) if len(weights) == 1 else weights
    if places := list(style_values(asked.style, space)):
        members["style"] = by_name([space.styles[place].name for place in places], codes.styles[0, places])
    return SheetOrigin.model_validate(members)


def _noise_origin(version: ModelVersion, codes: Codes, source: Source) -> dict[str, Any]:
    members: dict[str, Any] = {
        "model": version.name,
        "digest": version.digest,
        "seed": source.seed,
        "index": source.index,
    }
    if source.given:
        members["noise"] = [shortest(value) for value in codes.noise[0]]
    elif source.truncation != 1:
        members["truncation"] = source.truncation
    return members


def _class_weights(space: LatentSpace, weights: NDArray[np.float32]) -> dict[str, float]:
    """By class name, without the classes of weight 0."""
    return {space.classes[place].name: shortest(weights[place]) for place in np.flatnonzero(weights)}


def is_noise_of(noise: list[float], space: LatentSpace) -> bool:
    return len(noise) == space.noise_size and all(abs(value) <= space.noise_limit for value in noise)


def parse_origin(text: str) -> ImageOrigin | SheetOrigin | None:
    """The origin that a text chunk records; None if the text is not one of ours."""
    if len(text) > LONGEST:
        return None
    try:
        return _ORIGIN.validate_json(text)
    except ValidationError:
        return None


def by_name(names: list[str], values: NDArray[np.float32]) -> dict[str, float]:
    return {name: shortest(value) for name, value in zip(names, values, strict=True)}
