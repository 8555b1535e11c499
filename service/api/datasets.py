"""`POST /v1/datasets`: a labelled data set of any size, streamed."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from latent import GeneratorCard, ModelVersion
from latent.containers import MEDIA_TYPE, SUFFIX, Container, Kind, container
from latent.dataset import Balance, Dataset, shard
from latent.noise import SEED_LIMIT
from latent.origin import Number
from latent.runs import parts
from service.api.context import charge, choose_version, context_of
from service.api.fields import Model, seed_or_choose
from service.errors import InvalidDataset
from service.http.problems import describe
from service.http.request import Headers, Request, Stream
from service.planning.codes import style_values

ANSWERS: dict[int, dict[str, Any]] = {
    200: {
        "content": {media_type: {} for media_type in sorted(set(MEDIA_TYPE.values()))},
        "description": "The data set, while it is drawn",
    },
    400: describe("The body is not JSON"),
    404: describe("There is no such model"),
    413: describe("The body is too large"),
    422: describe("A field is not valid, or the format cannot hold the images"),
    429: describe("The queue is full, or the service is sending too many data sets: see Retry-After"),
}

MOST_ITEMS = 2**53
"""JavaScript's numbers hold them exactly."""


class DatasetRequest(BaseModel):
    """A data set of a seed, or one shard of it. Every field may be left out."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        title="Dataset",
        json_schema_extra={
            "examples": [
                {"n": 60_000, "format": "idx", "seed": 1, "shards": 4, "shard": 0},
                {"n": 1_000, "format": "parquet"},
                {"n": 1_000, "format": "zip"},
            ]
        },
    )

    model: Model = None
    n: int = Field(default=60_000, ge=1, le=MOST_ITEMS, description="Images of the whole data set.")
    format: Kind = Field(
        default="idx",
        description="`idx`, a tar of MNIST's own files, which torchvision's `MNIST` reads, with a sixth as many more "
        "images in its files to test on; `webdataset`, a WebDataset tar; `parquet`, a table with the features that "
        "Hugging Face's `datasets` reads; `zip`, PNGs in a folder for each class.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=SEED_LIMIT,
        description="Decides every image. If absent, the server chooses a seed and sends it in `Faussaire-Seed`.",
    )
    shards: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="How many parts the data set is cut into. Each can be drawn alone."
    )
    shard: int = Field(default=0, ge=0, description="Which part to send, from 0.")
    balance: Balance = Field(default="even", description="`even`: classes in turn; `drawn`: the seed draws each class.")
    style: dict[str, Number] = Field(
        default_factory=dict, description="Style codes by name that all images share. The seed draws the others."
    )


async def stream_dataset(request: Request, body: DatasetRequest) -> Stream:
    """Stream a labelled data set, or one shard of it.

    A shard is the same when it is drawn alone, here or on another machine. A zip has no `Content-Length`: it is
    complete if it can be read to the end.
    """
    seed = seed_or_choose(body.seed)
    served = choose_version(request, body.model, seed)
    dataset = shard_of(body, served.version.card, seed)
    opened = open_container(body, served.version.card, dataset)
    context = context_of(request)
    size = await context.encoding.run(lambda: opened.size)  # the end of a large Parquet file takes a while
    context.streams.require_room()
    charge(request, len(dataset))
    stream = await context.streams.open(dataset, parts(opened.runs()), served.batcher, context.encoding)
    media_type = MEDIA_TYPE[body.format].encode("ascii")
    return Stream(stream, media_type, _headers(body, served.version, dataset), length=size)


def shard_of(body: DatasetRequest, card: GeneratorCard, seed: int) -> Dataset:
    """The asked shard. Raises InvalidDataset, UnknownStyle and StyleOutOfRange."""
    if body.shard >= body.shards:
        raise InvalidDataset("shard", f"The shards are numbered from 0 to {body.shards - 1}.")
    items = shard(body.n, body.shards, body.shard)
    return Dataset(card.space, seed, items.start, items.stop, body.balance, style_values(body.style, card.space))


def open_container(body: DatasetRequest, card: GeneratorCard, dataset: Dataset) -> Container:
    """Raises InvalidDataset if the format cannot hold the images."""
    try:
        return container(body.format, dataset, card)
    except ValueError as error:
        detail = str(error)
        raise InvalidDataset("format", f"{detail[0].upper()}{detail[1:]}.") from None


def _headers(body: DatasetRequest, version: ModelVersion, dataset: Dataset) -> Headers:
    name = f"{version.name}-{dataset.seed}-{dataset.start}-{dataset.stop}.{SUFFIX[body.format]}"
    return [
        (b"content-disposition", f'attachment; filename="{name}"'.encode("ascii")),
        (b"faussaire-seed", b"%d" % dataset.seed),
        (b"faussaire-index", b"%d" % dataset.start),
        (b"faussaire-model", version.label.encode("ascii")),
    ]
