"""Reads the codes of an image: from the image's own text chunk, or with a recogniser."""

import json
from base64 import b64encode
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from latent import GeneratorCard, ModelVersion
from latent.decimals import shortest
from latent.origin import ImageOrigin, Origin, SheetOrigin, is_noise_of
from latent.png import encode_png
from latent.verification import Claim
from service.errors import NoRecogniser, SheetOfImages, UnclearImage
from service.inference.recogniser import Recogniser
from service.reading.certainty import certainty
from service.reading.drawing import REMEDY, Removed
from service.reading.framing import frame
from service.reading.upload import Upload, decode, open_upload
from service.registry.catalogue import Catalogue

LEAST_CERTAINTY = 0.7
"""A drawing that was freed of other things is refused if its class is less certain: `python -m bench.pages`."""


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
                    "certainty": 1.0,
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
        description="Whether the codes are recorded in the image, or a recogniser read them from its pixels."
    )
    class_: str | None = Field(
        alias="class", description="The class of most weight. Absent if the model has no class codes."
    )
    classes: dict[str, float] = Field(description="The weight of each class.")
    certainty: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="How sure the class is: 1 if it is recorded; else its mean weight while the drawing is moved, "
        "turned and scaled a little. Absent if the model has no class codes.",
    )
    styles: dict[str, float]
    removed: list[Removed] | None = Field(
        default=None, description="What else was on the page and was left out, if anything was."
    )
    seed: int | None = Field(default=None, description="The seed of the noise, if the image records it.")
    index: int | None = Field(default=None, description="Which image of the seed it is, if the image records it.")
    truncation: float | None = Field(default=None, description="If the image records one below 1.")
    noise: list[float] | None = Field(default=None, description="If the image records noise that a request gave.")
    framed: str | None = Field(
        default=None,
        description="The picture as the recogniser saw it: a PNG in base64.",
        json_schema_extra={"contentEncoding": "base64", "contentMediaType": "image/png"},
    )


class CodesReader:
    """Reads codes in the spaces of the models of one catalogue."""

    def __init__(self, catalogue: Catalogue, max_pixels: int) -> None:
        self._catalogue = catalogue
        self._max_pixels = max_pixels

    def read(self, content: bytes, asked: str | None) -> ImageCodes:
        """The codes of an image file in the space of the asked model; if None, of the model that drew it.

        Raises UnknownModel, OtherVersion, NotAnImage, TooManyPixels, BrokenImage, BlankImage, UnclearImage,
        SheetOfImages and NoRecogniser.
        """
        upload = open_upload(content, self._max_pixels)
        origin = self._origin_of(upload)
        if isinstance(origin, SheetOrigin):
            raise SheetOfImages("body", self._explain_sheet(origin))
        served = self._catalogue.find(asked)
        if origin is not None:
            drew = self._catalogue.of_digest(origin.digest)
            wanted = drew is not None and (asked in (None, drew.version.name) or drew is served)
            if drew is not None and wanted and origin.is_of(drew.version.card.space):
                return _from_origin(origin, drew.version)
        if served.recogniser is None:
            raise NoRecogniser("model", self._explain_no_recogniser(served.version, origin))
        return recognise(decode(upload), served.recogniser, served.version)

    def _origin_of(self, upload: Upload) -> Origin | None:
        """The record, unless a tool kept it with a part of the picture, or with another beside it."""
        origin = upload.origin
        drew = None if origin is None else self._catalogue.of_digest(origin.digest)
        if origin is None or drew is None or Claim(origin, drew.version, *upload.picture.size).has_proportions():
            return origin
        return None

    def _explain_sheet(self, sheet: SheetOrigin) -> str:
        drew = self._catalogue.of_digest(sheet.digest)
        if drew is None or not _has_names_of(sheet, drew.version.card):
            return f"This is a sheet of {sheet.n} images by a model that the service does not have. Send one image."
        if sheet.images is not None:
            return f"This is a sheet of {sheet.n} images. Ask for them as zip or json, and send one of them."
        asked = sheet.model_dump(exclude={"model", "digest", "n"}, exclude_none=True)
        request = json.dumps({"model": drew.version.label} | asked)
        return (
            f"This is a sheet of {sheet.n} images. POST {request} to /v1/images to draw the first alone, and raise "
            f"'index' up to {sheet.index + sheet.n - 1} for the others. Send one of them."
        )

    def _explain_no_recogniser(self, version: ModelVersion, origin: ImageOrigin | None) -> str:
        recorded = "" if origin is None else "The codes that the image records are not of this version of the model. "
        able = [name for name, versions in self._catalogue.models.items() if versions.stable.recogniser is not None]
        others = f" Models with a recogniser: {', '.join(able)}." if able else ""
        return f"{recorded}'{version.name}' has no recogniser: it knows the codes only of images that it drew.{others}"


def _has_names_of(sheet: SheetOrigin, card: GeneratorCard) -> bool:
    """Whether the names in a text chunk, which anyone may have written, are names in the card."""
    asked = sheet.class_ if isinstance(sheet.class_, dict) else {sheet.class_} - {None}
    classes, styles = {code.name for code in card.space.classes}, {code.name for code in card.space.styles}
    noise_fits = sheet.noise is None or is_noise_of(sheet.noise, card.space)
    return set(asked) <= classes and (sheet.style or {}).keys() <= styles and noise_fits


def _from_origin(origin: ImageOrigin, version: ModelVersion) -> ImageCodes:
    names = [code.name for code in version.card.space.classes]
    return _image_codes(
        version,
        source="metadata",
        classes={name: origin.classes.get(name, 0.0) for name in names},
        certainty=1.0 if names else None,
        styles=origin.styles,
        seed=origin.seed,
        index=origin.index,
        truncation=origin.truncation,
        noise=origin.noise,
    )


def recognise(picture: Image.Image, recogniser: Recogniser, version: ModelVersion) -> ImageCodes:
    """Read codes from the pixels alone. Raises BlankImage and UnclearImage."""
    framed = frame(picture, recogniser.card)
    codes, space = recogniser.recognise(framed.pixels), version.card.space
    certain = certainty(recogniser, framed.pixels)
    if framed.removed and certain is not None and certain < LEAST_CERTAINTY:
        fault = f"The drawing is not certain enough without what else is on the page: {', '.join(framed.removed)}"
        raise UnclearImage("body", f"{fault}. {REMEDY}")
    return _image_codes(
        version,
        source="recogniser",
        classes=_by_name(space.class_places, codes.classes),
        certainty=None if certain is None else round(certain, 4),
        styles=_by_name(space.style_places, codes.styles),
        removed=list(framed.removed) or None,
        framed=b64encode(encode_png(framed.pixels)).decode("ascii"),
    )


def _by_name(names: Iterable[str], values: NDArray[np.float32]) -> dict[str, float]:
    return {name: shortest(value) for name, value in zip(names, values.tolist(), strict=True)}


def _image_codes(version: ModelVersion, *, classes: dict[str, float], **rest: Any) -> ImageCodes:
    best = max(classes, key=lambda name: classes[name]) if classes else None
    members = {"model": version.name, "digest": version.digest, "class": best, "classes": classes}
    return ImageCodes.model_validate(members | rest)
