"""What each operation is sent, and how its answer is read. `faussaire/client.py` sends it."""

import base64
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Generic, TypeVar, Unpack
from urllib.parse import quote

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from faussaire.plain import to_plain
from faussaire.types import (
    Asked,
    Between,
    Held,
    Image,
    ImageCodes,
    Int,
    Labelled,
    Model,
    Point,
    Problem,
    Refused,
    Shared,
    UnexpectedAnswer,
    Verification,
)
from latent.containers import MEDIA_TYPE, Kind
from latent.release import version_label

T = TypeVar("T")

PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Download:
    """The file that an answer is written to."""

    path: Path
    kind: Kind
    received: Callable[[bytes], None] | None
    """Gets each part of the file."""


@dataclass(frozen=True)
class Call(Generic[T]):
    method: str
    path: str
    read: Callable[[httpx.Response], T]
    media_type: str | None
    """Of the answer; None if the request leaves it open."""
    sent: Mapping[str, Any]
    """Arguments of httpx: `json`, `params` or `content`."""
    into: Download | None = None


def models() -> Call[list[Model]]:
    """Get the cards of all models."""
    return Call("GET", "/v1/models", _read_models, "application/json", {})


def model(name: str) -> Call[Model]:
    """Get one model, by its name, or one version, by `NAME@` and at least 12 digits of its digest."""
    return Call("GET", f"/v1/models/{quote(name, safe='@')}", _read_model, "application/json", {})


def image(*, scale: Int = 1, **asked: Unpack[Asked]) -> Call[Image]:
    """Draw one image."""
    body = _body(asked) | {"scale": to_plain("scale", scale), "format": "png"}
    return _post("/v1/images", _read_image, "image/png", body)


def images(n: Int, **asked: Unpack[Asked]) -> Call[NDArray[np.uint8]]:
    """Draw many images; returns their pixels, (N, H, W, channels)."""
    body = _body(asked) | {"n": to_plain("n", n), "format": "npy"}
    return _post("/v1/images", _read_array, "application/x-npy", body)


def items(points: Sequence[Point], **shared: Unpack[Shared]) -> Call[list[Image | Problem]]:
    """Draw images with codes of their own. In the place of an invalid item is its problem.

    If all items are invalid, the service refuses the request.
    """
    body = _body(shared) | {"items": to_plain("points", list(points)), "format": "json"}
    return _post("/v1/images", _read_items, "application/json", body)


def traversal(columns: Mapping[str, Any], **held: Unpack[Held]) -> Call[bytes]:
    """Draw what moves along `columns` and `rows`; returns a file, a sheet in PNG by default."""
    body = {"columns": to_plain("columns", columns), "format": "sheet"} | _body(held)
    return _post("/v1/traversals", _read_content, None, body)


def interpolation(from_: Point, to: Point, **between: Unpack[Between]) -> Call[bytes]:
    """Draw the way from one image to another; returns a file, a sheet in PNG by default."""
    body = {"from": to_plain("from_", from_), "to": to_plain("to", to), "format": "sheet"} | _body(between)
    return _post("/v1/interpolations", _read_content, None, body)


def codes(picture: bytes | Path, model: str | None = None) -> Call[ImageCodes]:
    """Read the codes of an image file, from its bytes or its path."""
    params = {} if model is None else {"model": model}
    sent = {"content": _content("codes", picture), "params": params}
    return Call("POST", "/v1/codes", _read_codes, "application/json", sent)


def verify(picture: bytes | Path) -> Call[Verification]:
    """Find out whether the service drew an image file, from its bytes or its path."""
    sent = {"content": _content("verify", picture)}
    return Call("POST", "/v1/verify", _read_verification, "application/json", sent)


def _content(operation: str, picture: bytes | Path) -> bytes:
    if not isinstance(picture, bytes | Path):
        raise TypeError(f"{operation} takes the bytes of an image file, or its pathlib.Path; it got {type(picture)}")
    return picture.read_bytes() if isinstance(picture, Path) else picture


def dataset(
    path: str | Path, n: Int, *, received: Callable[[bytes], None] | None = None, **labelled: Unpack[Labelled]
) -> Call[int]:
    """Write a labelled data set, or one shard of it, to a file; returns its seed.

    The file appears when it is complete. `received` gets each part of it.
    """
    body = {"n": to_plain("n", n)} | _body(labelled)
    kind: Kind = labelled.get("format", "idx")
    download = Download(Path(path), kind, received)
    return Call("POST", "/v1/datasets", _read_seed, MEDIA_TYPE.get(kind), {"json": body}, download)


def check(call: Call[Any], answer: httpx.Response) -> None:
    """Raises Refused if the answer is an error, and UnexpectedAnswer if it is of another media type than asked for."""
    if not answer.is_success:
        raise Refused(_read_problem(answer), read_retry_after(answer.headers.get("Retry-After", ""), datetime.now(UTC)))
    media_type = _media_type(answer)
    if call.media_type is not None and media_type != call.media_type:
        raise UnexpectedAnswer(
            f"{answer.url} answered with {media_type or 'no media type'} instead of {call.media_type}; is it a "
            "Faussaire service?"
        )


def read_retry_after(value: str, now: datetime) -> int | None:
    """Seconds to wait, from a number of seconds or a date (RFC 9110, section 10.2.3); None if it is neither."""
    if value.isdecimal():
        return int(value)
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0, math.ceil((date.replace(tzinfo=date.tzinfo or UTC) - now).total_seconds()))


def _post(path: str, read: Callable[[httpx.Response], T], media_type: str | None, body: Mapping[str, Any]) -> Call[T]:
    return Call("POST", path, read, media_type, {"json": body})


def _body(given: Mapping[str, Any]) -> dict[str, Any]:
    """By the API's names: `class_` is Python's way to write `class`."""
    return {name.rstrip("_"): to_plain(name, value) for name, value in given.items()}


def _media_type(answer: httpx.Response) -> str:
    """Without parameters such as charset."""
    header: str = answer.headers.get("Content-Type", "")
    return header.partition(";")[0].strip().lower()


def _read_models(answer: httpx.Response) -> list[Model]:
    # The card is strict, and takes a list for a tuple only from JSON.
    return TypeAdapter(dict[str, list[Model]]).validate_json(answer.content)["models"]


def _read_model(answer: httpx.Response) -> Model:
    return Model.model_validate_json(answer.content)


def _read_content(answer: httpx.Response) -> bytes:
    return answer.content


def _read_codes(answer: httpx.Response) -> ImageCodes:
    return ImageCodes(**answer.json())


def _read_verification(answer: httpx.Response) -> Verification:
    return Verification(**answer.json())


def _read_seed(answer: httpx.Response) -> int:
    return int(answer.headers["Faussaire-Seed"])


def _read_image(answer: httpx.Response) -> Image:
    index, model = int(answer.headers["Faussaire-Index"]), answer.headers["Faussaire-Model"]
    return Image(answer.content, _read_seed(answer), index, model)


def _read_array(answer: httpx.Response) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(io.BytesIO(answer.content), allow_pickle=False)
    return array


def _read_items(answer: httpx.Response) -> list[Image | Problem]:
    read = answer.json()
    model = version_label(read["model"], read["digest"])
    return [
        Problem(**entry["problem"])
        if "problem" in entry
        else Image(base64.b64decode(entry["png"]), entry["seed"], entry["index"], model)
        for entry in read["images"]
    ]


def _read_problem(answer: httpx.Response) -> Problem:
    """The problem of an error. A proxy in between has errors of other kinds, which become problems here."""
    if _media_type(answer) == PROBLEM:
        try:
            return Problem.model_validate_json(answer.content)
        except ValidationError:
            pass  # labelled as a problem, but not one
    phrase = answer.reason_phrase
    return Problem(status=answer.status_code, type="about:blank", title=phrase, detail=answer.text or phrase)
