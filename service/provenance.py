"""What our PNGs say of themselves in a text chunk: the codes that an image was drawn from, or a sheet's request."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from latent import Codes, GeneratorCard, LatentSpace
from latent.noise import SEED_LIMIT
from service.requests import ImagesRequest, Name, Number, asked_styles

KEYWORD = "faussaire"
"""That of the chunk, and of what Pillow calls the image's info."""

LONGEST = 16_384
"""Characters of a chunk that are looked at."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Origin(BaseModel):
    """Where and what an image or a sheet was drawn from."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, serialize_by_alias=True)

    model: Name
    digest: Digest
    seed: int = Field(ge=0, lt=SEED_LIMIT)
    index: int = Field(ge=0, lt=SEED_LIMIT // 2)

    def text(self) -> str:
        """JSON in ASCII; the same origin gives the same text."""
        return self.model_dump_json(exclude_none=True, ensure_ascii=True)


class ImageOrigin(Origin):
    classes: dict[Name, Number] = Field(alias="class", description="The weight of each class that has any.")
    styles: dict[Name, Number]

    def is_of(self, space: LatentSpace) -> bool:
        """Whether these are codes of that space: what a file says of itself need not be true."""
        ranges = {code.name: (np.float32(code.low), np.float32(code.high)) for code in space.styles}
        if not self.classes.keys() <= {code.name for code in space.classes} or self.styles.keys() != ranges.keys():
            return False
        if space.classes and not np.isclose(sum(self.classes.values()), 1, atol=1e-3):
            return False
        weighed = all(0 <= weight <= 1 for weight in self.classes.values())
        return weighed and all(low <= np.float32(self.styles[name]) <= high for name, (low, high) in ranges.items())


class SheetOrigin(Origin):
    """A request for several images: what it left out was drawn for each."""

    n: int = Field(ge=2, lt=SEED_LIMIT)
    class_: Name | None = Field(default=None, alias="class")
    style: dict[Name, Number] | None = None


ORIGIN: TypeAdapter[ImageOrigin | SheetOrigin] = TypeAdapter(ImageOrigin | SheetOrigin)


def origin_of(card: GeneratorCard, digest: str, codes: Codes, seed: int, request: ImagesRequest) -> Origin:
    """That of the images of `codes`, which the request asked for."""
    origin: dict[str, Any] = {"model": card.name, "digest": digest, "seed": seed, "index": request.index}
    classes = [code.name for code in card.space.classes]
    styles = [code.name for code in card.space.styles]
    if request.n == 1:
        weights = {name: weight for name, weight in named(classes, codes.classes[0]).items() if weight}
        return ImageOrigin.model_validate(origin | {"class": weights, "styles": named(styles, codes.styles[0])})
    origin["n"] = request.n
    if request.class_ is not None:
        origin["class"] = classes[codes.classes[0].argmax()]
    if asked := list(asked_styles(request.style, card.space)):
        origin["style"] = named([styles[place] for place in asked], codes.styles[0, asked])
    return SheetOrigin.model_validate(origin)


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
