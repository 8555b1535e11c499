"""What each operation is sent and how its answer is read; `faussaire/client.py` does the sending.

Stands on httpx, NumPy, Pillow and the card alone: whoever calls a service need not install what serves.
"""

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Literal, TypedDict, TypeVar, Unpack

import httpx
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pydantic import BaseModel, Field, TypeAdapter

from latent import GeneratorCard, release
from latent.containers import Kind
from latent.dataset import Balance

T = TypeVar("T")
Class = str | int | dict[str, float]
Style = Sequence[float] | dict[str, float]


class Asked(TypedDict, total=False):
    """One image's codes, seed and index, and whose they are; what is left out, the service chooses."""

    model: str
    """By name, or one version of it as `Image.model` tells it: `mnist-infogan@0123456789ab`."""
    class_: Class
    style: Style
    noise: Sequence[float]
    truncation: float
    seed: int
    index: int


# In the API's own words, of which one is a keyword.
Point = TypedDict(
    "Point",
    {
        "class": Class,
        "style": Style,
        "noise": Sequence[float],
        "truncation": float,
        "seed": int,
        "index": int,
    },
    total=False,
)


class Shared(TypedDict, total=False):
    """What items have together."""

    model: str
    truncation: float
    seed: int
    index: int
    scale: int


class Played(TypedDict, total=False):
    format: Literal["sheet", "zip", "json", "npy", "apng", "webp", "gif"]
    scale: int
    fps: int
    loop: bool


class Moved(Asked, Played, total=False):
    rows: Mapping[str, Any]


class Between(Played, total=False):
    model: str
    frames: int


class Labelled(TypedDict, total=False):
    model: str
    format: Kind
    seed: int
    shards: int
    shard: int
    balance: Balance
    style: dict[str, float]


@dataclass(frozen=True)
class Image:
    png: bytes
    seed: int
    index: int
    model: str
    """Name and digest: `mnist-infogan@0123456789ab`."""

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
    """An answer that is an error."""

    def __init__(self, problem: Problem, retry_after: int | None) -> None:
        super().__init__(": ".join(filter(None, (str(problem.status), problem.field, problem.detail))))
        self.status = problem.status
        self.field = problem.field
        self.detail = problem.detail
        self.problem = problem
        self.retry_after = retry_after
        """Seconds after which the same request may succeed, where the service says so."""


class Version(BaseModel):
    digest: str
    role: Literal["stable", "canary", "other"]
    weight: float
    """The share of seeds that it draws where the name alone is asked for."""


class Model(BaseModel):
    digest: str
    default: bool
    card: GeneratorCard
    versions: list[Version]


class ImageCodes(BaseModel):
    model: str
    digest: str
    source: Literal["metadata", "recogniser"]
    class_: str | None = Field(default=None, alias="class")
    classes: dict[str, float]
    styles: dict[str, float]
    seed: int | None = None
    index: int | None = None
    truncation: float | None = None
    noise: list[float] | None = None


@dataclass(frozen=True)
class Call(Generic[T]):
    method: str
    path: str
    read: Callable[[httpx.Response], T]
    sent: Mapping[str, Any]
    """httpx's names for it: `json`, `params` or `content`."""
    into: Path | None = None
    """The file that the answer is streamed to."""


def models() -> Call[list[Model]]:
    """The cards of all models."""
    return Call("GET", "/v1/models", _models, {})


def image(*, scale: int = 1, **asked: Unpack[Asked]) -> Call[Image]:
    """One image."""
    return _post("/v1/images", _image, _named(asked) | {"scale": scale, "format": "png"})


def images(n: int, **asked: Unpack[Asked]) -> Call[NDArray[np.uint8]]:
    """The pixels of many, (N, H, W, channels)."""
    return _post("/v1/images", _array, _named(asked) | {"n": n, "format": "npy"})


def items(points: Sequence[Point], **shared: Unpack[Shared]) -> Call[list[Image | Problem]]:
    """Images of codes of their own each: in the place of one that is not valid, what was wrong with it.

    Where none is valid, the whole is refused.
    """
    return _post("/v1/images", _items, _named(shared) | {"items": list(points), "format": "json"})


def traversal(columns: Mapping[str, Any], **moved: Unpack[Moved]) -> Call[bytes]:
    """A file, by default a sheet in PNG, of what moves along `columns` and `rows`."""
    return _post("/v1/traversals", _content, {"columns": columns, "format": "sheet"} | _named(moved))


def interpolation(from_: Point, to: Point, **between: Unpack[Between]) -> Call[bytes]:
    """A file, by default a sheet in PNG, of the way from one image to another."""
    return _post("/v1/interpolations", _content, {"from": from_, "to": to, "format": "sheet"} | _named(between))


def codes(content: bytes, model: str | None = None) -> Call[ImageCodes]:
    """The way back: an image file's codes."""
    params = {} if model is None else {"model": model}
    return Call("POST", "/v1/codes", lambda answer: ImageCodes(**answer.json()), {"content": content, "params": params})


def dataset(path: str | Path, n: int, **labelled: Unpack[Labelled]) -> Call[int]:
    """A labelled data set, or a shard of it, into a file, which is there when it is whole; returns its seed."""
    return Call("POST", "/v1/datasets", _seed, {"json": {"n": n} | _named(labelled)}, Path(path))


def checked(answer: httpx.Response) -> httpx.Response:
    """The same answer. Raises Refused where it is an error."""
    if answer.is_success:
        return answer
    after = answer.headers.get("Retry-After", "")
    raise Refused(_problem(answer), int(after) if after.isdecimal() else None)


def _post(path: str, read: Callable[[httpx.Response], T], body: Mapping[str, Any]) -> Call[T]:
    return Call("POST", path, read, {"json": body})


def _named(given: Mapping[str, Any]) -> dict[str, Any]:
    """In the API's words: `class_` is Python's way to say `class`."""
    return {name.rstrip("_"): value for name, value in given.items()}


def _models(answer: httpx.Response) -> list[Model]:
    # The card is strict: from JSON alone does it take a list for a tuple.
    return TypeAdapter(dict[str, list[Model]]).validate_json(answer.content)["models"]


def _content(answer: httpx.Response) -> bytes:
    return answer.content


def _seed(answer: httpx.Response) -> int:
    return int(answer.headers["Faussaire-Seed"])


def _image(answer: httpx.Response) -> Image:
    index, model = int(answer.headers["Faussaire-Index"]), answer.headers["Faussaire-Model"]
    return Image(answer.content, _seed(answer), index, model)


def _array(answer: httpx.Response) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(io.BytesIO(answer.content), allow_pickle=False)
    return array


def _items(answer: httpx.Response) -> list[Image | Problem]:
    told = answer.json()
    model = release.version_label(told["model"], told["digest"])
    return [
        Problem(**one["problem"])
        if "problem" in one
        else Image(base64.b64decode(one["png"]), one["seed"], one["index"], model)
        for one in told["images"]
    ]


def _problem(answer: httpx.Response) -> Problem:
    """What stands between client and service, as a proxy does, has errors of its own kind."""
    if answer.headers.get("Content-Type") == "application/problem+json":
        return Problem(**answer.json())
    phrase = answer.reason_phrase
    return Problem(status=answer.status_code, type="about:blank", title=phrase, detail=answer.text or phrase)
