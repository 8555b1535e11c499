"""What our PNGs say of themselves in a text chunk: the codes that an image was drawn from, or a sheet's request."""

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from latent import Codes, GeneratorCard, LatentSpace
from latent.noise import SEED_LIMIT
from service.api.fields import Asked, Index, Name, Number, Seed, Truncation
from service.planning.codes import asked_styles

KEYWORD = "faussaire"
"""That of the chunk, and of what Pillow calls the image's info."""

LONGEST = 131_072
"""Characters of a chunk that are looked at: those of the longest noise, and as many again."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Origin(BaseModel):
    """Where and what an image or a sheet was drawn from."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)

    model: Name
    digest: Digest
    seed: Seed
    index: Index

    def text(self) -> str:
        """JSON in ASCII; the same origin gives the same text."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True)


class ImageOrigin(Origin):
    classes: dict[Name, Number] = Field(alias="class", description="The weight of each class that has any.")
    styles: dict[Name, Number]
    truncation: Truncation | None = None
    noise: list[Number] | None = Field(default=None, description="As the generator got it, where it was given.")

    def is_of(self, space: LatentSpace) -> bool:
        """Whether these are codes of that space: what a file says of itself need not be true."""
        ranges = {code.name: (np.float32(code.low), np.float32(code.high)) for code in space.styles}
        if not self.classes.keys() <= {code.name for code in space.classes} or self.styles.keys() != ranges.keys():
            return False
        if space.classes and not np.isclose(sum(self.classes.values()), 1, atol=1e-3):
            return False
        weighed = all(0 <= weight <= 1 for weight in self.classes.values())
        styled = all(low <= np.float32(self.styles[name]) <= high for name, (low, high) in ranges.items())
        return weighed and styled and (self.noise is None or is_noise_of(self.noise, space))


class SheetOrigin(Origin):
    """A request for several images: what it left out was drawn for each."""

    n: int = Field(ge=1, lt=SEED_LIMIT)
    class_: Name | dict[Name, Number] | None = Field(default=None, alias="class")
    style: dict[Name, Number] | None = None
    truncation: Truncation | None = None
    noise: list[Number] | None = None
    images: Digest | None = Field(
        default=None, description="SHA-256 of what each image says of itself, where they have codes of their own each."
    )


ORIGIN: TypeAdapter[ImageOrigin | SheetOrigin] = TypeAdapter(ImageOrigin | SheetOrigin)


@dataclass(frozen=True)
class Source:
    """Where the noise of an image came from."""

    seed: int
    index: int
    truncation: float = 1.0
    given: bool = False
    """It came with the request, and so the image tells it."""


def source_of(asked: Asked, seed: int, index: int) -> Source:
    return Source(seed, index, asked.truncation, asked.noise is not None)


def image_origin(card: GeneratorCard, digest: str, codes: Codes, source: Source) -> ImageOrigin:
    """That of the one image of `codes`."""
    weights = _weighed(card, codes.classes[0])
    styles = named([code.name for code in card.space.styles], codes.styles[0])
    told = _drawn_from(card, digest, codes, source) | {"class": weights, "styles": styles}
    return ImageOrigin.model_validate(told)


def sheet_origin(card: GeneratorCard, digest: str, codes: Codes, source: Source, asked: Asked) -> SheetOrigin:
    """That of images of one seed in a row, which `asked` is the request for; `source` is that of the first."""
    told = _drawn_from(card, digest, codes, source) | {"n": len(codes)}
    if asked.class_ is not None:
        weights = _weighed(card, codes.classes[0])
        told["class"] = next(iter(weights)) if len(weights) == 1 else weights
    if places := list(asked_styles(asked.style, card.space)):
        told["style"] = named([card.space.styles[place].name for place in places], codes.styles[0, places])
    return SheetOrigin.model_validate(told)


def _drawn_from(card: GeneratorCard, digest: str, codes: Codes, source: Source) -> dict[str, Any]:
    told: dict[str, Any] = {"model": card.name, "digest": digest, "seed": source.seed, "index": source.index}
    if source.given:
        told["noise"] = [shortest(value) for value in codes.noise[0]]
    elif source.truncation != 1:
        told["truncation"] = source.truncation
    return told


def _weighed(card: GeneratorCard, weights: NDArray[np.float32]) -> dict[str, float]:
    return {card.space.classes[place].name: shortest(weights[place]) for place in np.flatnonzero(weights)}


def is_noise_of(noise: list[float], space: LatentSpace) -> bool:
    return len(noise) == space.noise_size and all(abs(value) <= space.noise_limit for value in noise)


def told_by(picture: Image.Image) -> ImageOrigin | SheetOrigin | None:
    """What a picture says of itself, if it is one of ours and says it well."""
    text = picture.info.get(KEYWORD)
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    try:
        return ORIGIN.validate_json(text)
    except ValidationError:
        return None


def named(names: list[str], values: NDArray[np.float32]) -> dict[str, float]:
    return {name: shortest(value) for name, value in zip(names, values, strict=True)}


def shortest(value: np.float32) -> float:
    """The number with the fewest digits that is this float32: 0.3 and not 0.30000001192092896.

    So a code at the end of its range, which float32 may round to beyond it, is told as it was asked for.
    """
    short = float(str(value))
    return short if np.float32(short) == value else float(value)
