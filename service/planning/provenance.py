"""Where the images of a plan come from, as their files record it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from latent import Codes, LatentSpace, ModelVersion
from latent.decimals import shortest
from latent.origin import Drawn, ImageOrigin, SheetOrigin
from service.planning.codes import style_values
from service.planning.point import AskedCodes


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
    members = _version(version) | _noise(codes, source) | _codes(version.card.space, codes)
    return ImageOrigin.model_validate(members)


def drawn_from(space: LatentSpace, codes: Codes, source: Source) -> Drawn:
    """The codes of one image, one row, as a sheet records them."""
    return Drawn.model_validate(_noise(codes, source) | _codes(space, codes))


def row_origin(version: ModelVersion, codes: Codes, source: Source, asked: AskedCodes) -> SheetOrigin:
    """The origin of images of one seed in a row, all as `asked`. `source` is the first image's."""
    space = version.card.space
    members = _version(version) | _noise(codes, source) | {"n": len(codes)}
    if asked.class_ is not None:
        weights = _class_weights(space, codes.classes[0])
        members["class"] = next(iter(weights)) if len(weights) == 1 else weights
    if places := list(style_values(asked.style, space)):
        members["style"] = by_name([space.styles[place].name for place in places], codes.styles[0, places])
    return SheetOrigin.model_validate(members)


def _version(version: ModelVersion) -> dict[str, Any]:
    return {"model": version.name, "digest": version.digest}


def _noise(codes: Codes, source: Source) -> dict[str, Any]:
    members: dict[str, Any] = {"seed": source.seed, "index": source.index}
    if source.given:
        members["noise"] = [shortest(value) for value in codes.noise[0]]
    elif source.truncation != 1:
        members["truncation"] = source.truncation
    return members


def _codes(space: LatentSpace, codes: Codes) -> dict[str, Any]:
    styles = by_name([code.name for code in space.styles], codes.styles[0])
    return {"class": _class_weights(space, codes.classes[0]), "styles": styles}


def _class_weights(space: LatentSpace, weights: NDArray[np.float32]) -> dict[str, float]:
    """By class name, without the classes of weight 0."""
    return {space.classes[place].name: shortest(weights[place]) for place in np.flatnonzero(weights)}


def by_name(names: list[str], values: NDArray[np.float32]) -> dict[str, float]:
    return {name: shortest(value) for name, value in zip(names, values, strict=True)}
