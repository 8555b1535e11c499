"""What `POST /v1/codes` answers: the codes of an image, from what it says of itself or from a recogniser."""

import json
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from latent import GeneratorCard
from latent.release import version_label
from service.api.fields import Model
from service.api.models import Catalogue
from service.errors import NoRecogniser, SheetOfImages
from service.http.problems import described
from service.inference.generator import Runtime
from service.inference.recogniser import Recogniser
from service.planning.provenance import ImageOrigin, SheetOrigin, is_noise_of, named, told_by
from service.reading.framing import framed
from service.reading.upload import FORMATS, decoded, opened

FILES_WAITING = 64
"""The most image files that may wait to be read."""

FILES_HELD = 16
"""As many of the longest files may be on their way in, or wait, at once: more of smaller ones."""

FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in FORMATS.values()},
    }
}

REFUSED: dict[int | str, dict[str, Any]] = {
    404: described("No such model"),
    413: described("The file is too large"),
    415: described("The body is not an image"),
    422: described("The image is blank, broken, a sheet or too large, or the model has no recogniser"),
    429: described("Too many images are waiting: see Retry-After"),
}


class CodesQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    model: Model = Field(
        default=None,
        description="Whose codes: a name of `GET /v1/models`, or `NAME@` and the first 12 digits at least of the "
        "digest of one of its versions; when absent, the version that drew the image, if it says so, or the default.",
    )


class ImageCodes(BaseModel):
    """Codes in the latent space of a model."""

    model_config = ConfigDict(
        serialize_by_alias=True,
        title="Codes",
        json_schema_extra={
            "examples": [
                {
                    "model": "mnist-infogan",
                    "digest": "2f" * 32,
                    "source": "metadata",
                    "class": "7",
                    "classes": {"7": 1.0, "1": 0.0},
                    "styles": {"slant": 0.5, "width": -0.5},
                    "seed": 1,
                    "index": 0,
                }
            ]
        },
    )

    model: str
    digest: str = Field(description="SHA-256 of the model's file.")
    source: Literal["metadata", "recogniser"] = Field(
        description="Whether the image itself told its codes, or they were read from its pixels."
    )
    class_: str | None = Field(
        alias="class", description="The class of most weight; absent in a model without class codes."
    )
    classes: dict[str, float] = Field(description="The weight of each class.")
    styles: dict[str, float]
    seed: int | None = Field(default=None, description="Told by the image itself: the seed of its noise.")
    index: int | None = Field(default=None, description="Told by the image itself: which image of the seed it is.")
    truncation: float | None = Field(default=None, description="Told by the image itself, where it was less than 1.")
    noise: list[float] | None = Field(default=None, description="Told by the image itself, where it was asked for.")


class CodesReader:
    """Reads images' codes in the spaces of the models that are served at one moment."""

    def __init__(self, catalogue: Catalogue, max_pixels: int) -> None:
        self._catalogue = catalogue
        self._by_digest = {
            digest: served.runtime
            for versions in catalogue.models.values()
            for digest, served in versions.by_digest.items()
        }
        self._max_pixels = max_pixels

    def read(self, content: bytes, asked: str | None) -> ImageCodes:
        """Raises what RequestError there is for an image that has no codes, or none that can be read."""
        picture = opened(content, self._max_pixels)
        origin = told_by(picture)
        if isinstance(origin, SheetOrigin):
            raise SheetOfImages("body", self._tile_by_tile(origin))
        served = self._catalogue.find(asked)
        model, recogniser = served.runtime, served.recogniser
        if origin is not None:
            drew = self._by_digest.get(origin.digest)
            meant = drew is not None and (asked in (None, drew.card.name) or drew is model)
            if drew is not None and meant and origin.is_of(drew.card.space):
                return _told(origin, drew)
        if recogniser is None:
            raise NoRecogniser("model", self._without_recogniser(model.card, origin))
        return _recognised(recogniser, framed(decoded(picture), recogniser.card), model)

    def _tile_by_tile(self, sheet: SheetOrigin) -> str:
        drew = self._by_digest.get(sheet.digest)
        if drew is None or not _names_are_of(sheet, drew.card):
            return f"This is a sheet of {sheet.n} images by a model that is not served here; send one image."
        if sheet.images is not None:
            return (
                f"This is a sheet of {sheet.n} images; asked for as zip or json, each comes alone: send one of those."
            )
        asked = sheet.model_dump(exclude={"model", "digest", "n"}, exclude_none=True)
        request = json.dumps({"model": version_label(drew.card.name, drew.digest)} | asked)
        return (
            f"This is a sheet of {sheet.n} images. POST {request} to /v1/images draws the first of them alone, and so "
            f"on to 'index' {sheet.index + sheet.n - 1}; send one of those."
        )

    def _without_recogniser(self, card: GeneratorCard, origin: ImageOrigin | None) -> str:
        told = "" if origin is None else "The codes that the image tells are not this model's as it is served now. "
        able = [name for name, versions in self._catalogue.models.items() if versions.stable.recogniser is not None]
        others = f" Models with one: {', '.join(able)}." if able else ""
        return f"{told}'{card.name}' has no recogniser, so only images that it drew itself have known codes.{others}"


def _names_are_of(sheet: SheetOrigin, card: GeneratorCard) -> bool:
    """Whether what a file says, which anyone may have written, is in the card's own words."""
    told = sheet.class_ if isinstance(sheet.class_, dict) else {sheet.class_} - {None}
    classes, styles = {code.name for code in card.space.classes}, {code.name for code in card.space.styles}
    noisy = sheet.noise is None or is_noise_of(sheet.noise, card.space)
    return set(told) <= classes and (sheet.style or {}).keys() <= styles and noisy


def _told(origin: ImageOrigin, model: Runtime) -> ImageCodes:
    names = [code.name for code in model.card.space.classes]
    return _codes(
        model,
        source="metadata",
        classes={name: origin.classes.get(name, 0.0) for name in names},
        styles=origin.styles,
        seed=origin.seed,
        index=origin.index,
        truncation=origin.truncation,
        noise=origin.noise,
    )


def _recognised(recogniser: Recogniser, image: NDArray[np.uint8], model: Runtime) -> ImageCodes:
    codes, space = recogniser.recognise(image), model.card.space
    return _codes(
        model,
        source="recogniser",
        classes=named([code.name for code in space.classes], codes.classes),
        styles=named([code.name for code in space.styles], codes.styles),
    )


def _codes(model: Runtime, *, classes: dict[str, float], **rest: Any) -> ImageCodes:
    best = max(classes, key=lambda name: classes[name]) if classes else None
    known = {"model": model.card.name, "digest": model.digest, "class": best, "classes": classes}
    return ImageCodes.model_validate(known | rest)
