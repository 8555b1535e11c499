"""What the files of a plan record of their images, as `latent/origin.py` reads it.

The text is put together here: pydantic's models, made only to be written, cost more than a PNG.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import orjson
from numpy.typing import NDArray

from latent import Codes, LatentSpace, ModelVersion
from service.planning.codes import style_values
from service.planning.point import AskedCodes

NOTHING = "0.0"
"""The weight of a class that has no part in an image."""


@dataclass(slots=True)
class Source:
    """The seed, index and truncation of an image's noise."""

    seed: int
    index: int
    truncation: float = 1.0
    given: bool = False
    """Whether the request gave the noise. The image then records it."""


def source_of(asked: AskedCodes, seed: int, index: int) -> Source:
    return Source(seed, index, asked.truncation, asked.noise is not None)


def records_of(space: LatentSpace, codes: Codes, sources: Sequence[Source]) -> list[str]:
    """JSON of the codes of each image: a `Drawn` of `latent/origin.py`."""
    labels, style_labels = space.class_labels, space.style_labels
    records = []
    for row, (source, weights, styles) in enumerate(
        zip(sources, _rows(codes.classes), _rows(codes.styles), strict=True)
    ):
        named = ",".join(map(str.__add__, style_labels, styles.split(",")))
        members = f'"class":{_classes(labels, weights)},"styles":{{{named}}}{noise_members(codes, row, source)}'
        records.append(f'{{"seed":{source.seed},"index":{source.index},{members}}}')
    return records


@lru_cache(maxsize=1024)
def _classes(labels: tuple[str, ...], weights: str) -> str:
    """Most images have a class alone, so that few weights come again and again."""
    return _object(_present(labels, weights))


def asked_members(space: LatentSpace, codes: Codes, asked: AskedCodes) -> str:
    """The members of a `SheetOrigin` that tell what was asked for, of images that are all as `asked`."""
    told = ""
    if asked.class_ is not None:
        weights = _present(space.class_labels, _rows(codes.classes[:1])[0])
        told += f',"class":{weights[0][0][:-1] if len(weights) == 1 else _object(weights)}'
    if places := list(style_values(asked.style, space)):
        styles = _rows(codes.styles[:1])[0].split(",")
        told += f',"style":{_object((space.style_labels[place], styles[place]) for place in places)}'
    return told


def noise_members(codes: Codes, row: int, source: Source) -> str:
    """The members about the noise of an image, or of all images of a sheet."""
    if source.given:
        return f',"noise":[{_rows(codes.noise[row : row + 1])[0]}]'
    return "" if source.truncation == 1 else f',"truncation":{source.truncation!r}'


def version_members(version: ModelVersion) -> str:
    return _version_members(version.name, version.digest)


@lru_cache
def _version_members(name: str, digest: str) -> str:
    return f'"model":{json.dumps(name)},"digest":"{digest}"'


def _present(labels: tuple[str, ...], weights: str) -> list[tuple[str, str]]:
    """The labels and weights of the classes, without those of weight 0."""
    named = zip(labels, weights.split(",") if weights else (), strict=True)
    return [(label, weight) for label, weight in named if weight != NOTHING]


def _rows(numbers: NDArray[np.float32]) -> list[str]:
    """The numbers of each row with commas between, each with the fewest digits that are the same float32."""
    return orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY)[2:-2].decode("ascii").split("],[")


def _object(members: Iterable[tuple[str, str]]) -> str:
    return f"{{{','.join([label + value for label, value in members])}}}"
