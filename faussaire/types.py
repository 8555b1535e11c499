"""The values that a client sends, and those that come back."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypedDict

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pydantic import Base64Bytes, BaseModel, Field

from latent import GeneratorCard
from latent.containers import Kind
from latent.dataset import Balance

Int = int | np.integer[Any]
Number = float | Int | np.floating[Any]
Numbers = Sequence[Number] | NDArray[Any]
Class = str | Int | Mapping[str, Number]
Style = Numbers | Mapping[str, Number]


class Asked(TypedDict, total=False):
    """The codes, seed and index of an image, and its model. The service chooses what is absent."""

    model: str
    """A name; or one version, as `Image.model` has it: `mnist-infogan@0123456789ab`."""
    class_: Class
    style: Style
    noise: Numbers
    truncation: Number
    seed: Int
    index: Int


# `class` is a word of Python, so a point needs this form.
Point = TypedDict(
    "Point",
    {
        "class": Class,
        "style": Style,
        "noise": Numbers,
        "truncation": Number,
        "seed": Int,
        "index": Int,
    },
    total=False,
)


class Shared(TypedDict, total=False):
    """Fields that all items of a request share."""

    model: str
    truncation: Number
    seed: Int
    index: Int
    scale: Int


class Rendered(TypedDict, total=False):
    """How images that follow one another are sent."""

    format: str
    """`sheet`, `zip`, `json`, `npy`, `apng`, `webp` or `gif`"""
    scale: Int
    fps: Int
    loop: bool


class Held(Asked, Rendered, total=False):
    """The codes that a traversal holds, and its second axis."""

    rows: Mapping[str, Any]


class Between(Rendered, total=False):
    model: str
    frames: Int


class Labelled(TypedDict, total=False):
    """Which data set, or which shard of it."""

    model: str
    format: Kind
    seed: Int
    shards: Int
    shard: Int
    balance: Balance
    style: Mapping[str, Number]


@dataclass(frozen=True)
class Image:
    png: bytes
    seed: int
    index: int
    model: str
    """The version that drew the image: `mnist-infogan@0123456789ab`."""

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(H, W, channels)"""
        with PIL.Image.open(io.BytesIO(self.png)) as picture:
            return np.asarray(picture).reshape(picture.height, picture.width, -1)


class Problem(BaseModel):
    """What was wrong, in which field, and what would be right."""

    status: int
    type: str
    title: str
    detail: str
    field: str | None = None


class Refused(Exception):
    """The service answered with an error."""

    def __init__(self, problem: Problem, retry_after: int | None) -> None:
        super().__init__(": ".join(filter(None, (str(problem.status), problem.field, problem.detail))))
        self.status = problem.status
        self.field = problem.field
        self.detail = problem.detail
        self.problem = problem
        self.retry_after = retry_after
        """Seconds after which the same request may succeed, if the service says so."""


class UnexpectedAnswer(Exception):
    """An answer that no Faussaire service gives, such as a proxy's own page, or a data set that ends early."""


class Version(BaseModel):
    digest: str
    role: Literal["stable", "canary", "other"]
    weight: float
    """The share of seeds that this version draws if a request asks for the name."""


class Model(BaseModel):
    digest: str
    default: bool
    card: GeneratorCard
    versions: list[Version]
    recogniser: bool = False
    """Whether the service reads the codes of any picture for this model."""


class ImageCodes(BaseModel):
    model: str
    digest: str
    source: Literal["metadata", "recogniser"]
    class_: str | None = Field(default=None, alias="class")
    classes: dict[str, float]
    certainty: float | None = None
    """How sure the class is, from 0 to 1."""
    styles: dict[str, float]
    removed: list[str] | None = None
    """What else was on the page and was left out."""
    seed: int | None = None
    index: int | None = None
    truncation: float | None = None
    noise: list[float] | None = None
    framed: Base64Bytes | None = None
    """The picture as the recogniser saw it, a PNG, if `source` is `recogniser`."""


class Verification(BaseModel):
    """Whether the service drew an image. If it did, what the image records; if not, why."""

    verified: bool
    reason: str | None = None
    detail: str | None = None
    model: str | None = None
    digest: str | None = None
    seed: int | None = None
    index: int | None = None
    class_: dict[str, float] | str | None = Field(default=None, alias="class")
    styles: dict[str, float] | None = None
    style: dict[str, float] | None = None
    truncation: float | None = None
    noise: list[float] | None = None
    n: int | None = None
    columns: int | None = None
    images: list[dict[str, Any] | None] | None = None
    pixels: int | None = None
    """How many pixels differ."""
    box: tuple[int, int, int, int] | None = None
    """The left, upper, right and lower edge of all that differ."""
    places: list[int] | None = None
    """The images of a sheet that differ."""
