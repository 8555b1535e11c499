"""`GET /v1/datasets/{name}`: a shard as a file at an address, whole or in ranges of bytes, for loaders."""

import json
import math
from collections.abc import AsyncGenerator
from hashlib import sha256
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from latent.containers import MEDIA_TYPE, Kind, parse_shard_name
from latent.dataset import Balance, Dataset
from latent.origin import Seed
from latent.runs import cut, drawn
from service.api.context import charge, choose_version, context_of
from service.api.datasets import MOST_ITEMS, DatasetRequest, open_container, shard_of
from service.api.fields import Model
from service.api.image import ASK_AGAIN, FOR_EVER
from service.encoding.cache import HEX_DIGITS
from service.errors import FieldConflict, InvalidDataset, InvalidField
from service.http.headers import choose_range, names_etag
from service.http.problems import describe
from service.http.request import Answer, Headers, Request, Stream

LAYOUT = 1
"""Another number makes other ETags: raise it with a change of the bytes of a container."""

KINDS: dict[str, tuple[Kind, ...]] = {"parquet": ("parquet",), "tar": ("webdataset", "idx")}
"""What a name's suffix may mean; the first if the query does not say."""

_FILES: dict[str, Any] = {MEDIA_TYPE[kind]: {} for kinds in KINDS.values() for kind in kinds}

ANSWERS: dict[int, dict[str, Any]] = {
    200: {"content": _FILES, "description": "The shard"},
    206: {"content": _FILES, "description": "The bytes that `Range` asked for"},
    304: {"description": "The client has the shard: `If-None-Match` names its `ETag`"},
    404: describe("There is no such model"),
    416: describe("The shard does not have the bytes that `Range` asked for"),
    422: describe("A parameter is not valid, or the format cannot hold the images"),
    429: describe("The queue is full, or the service is sending too many data sets: see Retry-After"),
}

NAME: dict[str, Any] = {
    "type": "string",
    "description": "`part-NUMBER-of-SHARDS.parquet` or `.tar`, with at least five digits each, as `faussaire dataset` "
    "names its files: `part-00000-of-00004.parquet` is the first of four shards.",
    "examples": ["part-00000-of-00001.parquet", "part-00000-of-00001.tar"],
}


class DatasetQuery(BaseModel):
    """Which data set a shard is of. Every parameter may be left out."""

    model_config = ConfigDict(extra="forbid", title="DatasetFile")

    model: Model = None
    n: int = Field(default=60_000, ge=1, le=MOST_ITEMS, description="Images of the whole data set.", examples=[1_000])
    seed: Seed = Field(default=0, description="Decides every image.")
    format: Literal["idx", "webdataset", "parquet"] | None = Field(
        default=None, description="`parquet` for names in `.parquet`; `webdataset`, the default, or `idx` for `.tar`."
    )
    balance: Balance = Field(default="even", description="`even`: classes in turn; `drawn`: the seed draws each class.")
    style: Annotated[str, StringConstraints(max_length=10_000)] | None = Field(
        default=None,
        description="Style codes that all images share, by name: `slant:0.5,thickness:-1`. The seed draws the others.",
        examples=["slant:0.5"],
    )


async def get_dataset(request: Request, query: DatasetQuery) -> Answer | Stream:
    """Draw a shard of a data set as a file at a stable address, for loaders that take a URL.

    The bytes are those of `POST /v1/datasets`, a function of the model's version, the name and the query. The length
    and the `ETag` are known before anything is drawn, so that HEAD draws nothing and a range only what it touches.
    """
    context = context_of(request)
    body = _read(request.path.rpartition("/")[2], query)
    seed = query.seed
    served = choose_version(request, body.model, seed)
    dataset = shard_of(body, served.version.card, seed)
    opened = open_container(body, served.version.card, dataset)
    size = await context.encoding.run(lambda: cast("int", opened.size))  # the end of a large Parquet file takes a while
    names_version = "@" in (body.model or "")
    etag = _etag(served.version.digest, body, dataset)
    headers: Headers = [
        (b"accept-ranges", b"bytes"),
        (b"etag", etag.encode("ascii")),
        (b"cache-control", FOR_EVER if names_version else ASK_AGAIN),
        (b"faussaire-model", served.version.label.encode("ascii")),
        (b"faussaire-seed", b"%d" % seed),
        (b"faussaire-index", b"%d" % dataset.start),
    ]
    if not names_version:
        headers.append((b"vary", b"Faussaire-Canary"))
    if names_etag(request.header(b"if-none-match") or "", etag):
        return Answer(headers=headers, status=304)
    media_type = MEDIA_TYPE[body.format].encode("ascii")
    if request.scope["method"] == "HEAD":
        return Stream(_nothing(), media_type, headers, length=size)
    asked = _asked_range(request, etag, size)
    start, stop = asked or (0, size)
    context.streams.require_room()
    charge(request, min(drawn(opened.runs(), start, stop), len(dataset)))
    parts = cut(opened.runs(), start, stop)
    stream = await context.streams.open(dataset, parts, served.batcher, context.encoding)
    if asked is None:
        return Stream(stream, media_type, headers, length=size)
    headers.append((b"content-range", b"bytes %d-%d/%d" % (start, stop - 1, size)))
    return Stream(stream, media_type, headers, 206, length=stop - start)


def _read(name: str, query: DatasetQuery) -> DatasetRequest:
    """The same data set as `POST /v1/datasets` asks for it. Raises InvalidDataset, FieldConflict and InvalidField."""
    parsed = parse_shard_name(name)
    if parsed is None or parsed[0] not in KINDS:
        raise InvalidDataset("name", "Name a shard as in part-00000-of-00001.parquet or part-00000-of-00001.tar.")
    suffix, number, shards = parsed
    kind = query.format or KINDS[suffix][0]
    if kind not in KINDS[suffix]:
        raise FieldConflict("format", f"A name in .{suffix} takes {' or '.join(KINDS[suffix])}.")
    if not 0 < shards <= 1_000_000:
        raise InvalidDataset("name", "A data set has 1 to 1000000 shards.")
    return requested(query, kind, shards, number)


def requested(query: DatasetQuery, kind: Kind, shards: int, number: int) -> DatasetRequest:
    """Raises InvalidField."""
    fields = query.model_dump(include=set(DatasetQuery.model_fields) - {"format", "style"})
    return DatasetRequest(**fields, format=kind, style=_styles(query.style), shards=shards, shard=number)


def _styles(text: str | None) -> dict[str, float]:
    """Raises InvalidField."""
    values: dict[str, float] = {}
    for part in (text or "").split(",") if text else ():
        name, _, number = part.rpartition(":")
        try:
            values[name] = float(number)
        except ValueError:
            values[name] = math.nan
        if not name or not math.isfinite(values[name]) or "_" in number:
            raise InvalidField("style", "Give names and numbers with commas between, such as slant:0.5,thickness:-1.")
    return values


def _etag(digest: str, body: DatasetRequest, dataset: Dataset) -> str:
    """A strong ETag from all that decides the bytes."""
    decided = [LAYOUT, digest, body.format, dataset.seed, dataset.start, dataset.stop, dataset.balance]
    text = json.dumps([*decided, sorted(dataset.styles.items())])
    return f'"{sha256(text.encode()).hexdigest()[:HEX_DIGITS]}"'


def _asked_range(request: Request, etag: str, size: int) -> tuple[int, int] | None:
    """Raises RangeNotSatisfiable. With `If-Range`, the range counts only for the bytes of this ETag."""
    asked, known = request.header(b"range"), request.header(b"if-range")
    if asked is None or (known is not None and known.strip() != etag):
        return None
    return choose_range(asked, size)


async def _nothing() -> AsyncGenerator[bytes]:
    """What HEAD sends."""
    return
    yield
