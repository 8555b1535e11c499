"""What may be asked of `POST /v1/datasets`, and its answer: a labelled data set, streamed in constant memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from latent import GeneratorCard
from latent.containers import MEDIA_TYPE, SUFFIX, Container, Kind, container
from latent.dataset import Balance, Dataset, shard
from latent.noise import SEED_LIMIT
from service.api.fields import Model, Number
from service.encoding import png as images
from service.errors import InvalidDataset, QueueFull, TooManyStreams
from service.http.problems import described
from service.inference.batcher import Batcher, Drawn
from service.planning.codes import asked_styles

RETRY_SECONDS = 10
"""after which to try again where too many data sets are on their way: nobody knows how long their clients take"""

STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {media_type: {} for media_type in sorted(set(MEDIA_TYPE.values()))},
        "description": "The data set, as it is drawn",
    },
    400: described("The body is not JSON"),
    404: described("No such model"),
    413: described("The body is too large"),
    422: described("A field is not valid, or the format cannot hold the images"),
    429: described("The queue is full, or too many data sets are on their way: see Retry-After"),
}

MOST_ITEMS = 2**53
"""JavaScript's numbers hold them exactly."""


class DatasetRequest(BaseModel):
    """A data set of a seed, or one shard of it; every field may be left out."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        title="Dataset",
        json_schema_extra={
            "examples": [
                {"n": 60_000, "format": "idx", "seed": 1, "shards": 4, "shard": 0},
                {"n": 1_000, "format": "zip"},
            ]
        },
    )

    model: Model = None
    n: int = Field(default=60_000, ge=1, le=MOST_ITEMS, description="Images of the whole data set.")
    format: Kind = Field(
        default="idx",
        description="A tar of MNIST's own files, which torchvision's `MNIST` reads; a WebDataset tar; a zip of PNGs, "
        "a folder a class.",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        lt=SEED_LIMIT,
        description="Decides every image; chosen by the server, and told in `Faussaire-Seed`, when absent.",
    )
    shards: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        default=1, description="Into how many parts the data set is cut; each can be drawn alone."
    )
    shard: int = Field(default=0, ge=0, description="Which part to answer with, from 0.")
    balance: Balance = Field(default="even", description="Classes in turn, or each drawn.")
    style: dict[str, Number] = Field(
        default_factory=dict, description="Style codes that are the same for all, by name; the others are drawn."
    )


def dataset_of(request: DatasetRequest, card: GeneratorCard, seed: int) -> Dataset:
    """The shard that was asked for. Raises InvalidDataset, UnknownStyle and StyleOutOfRange."""
    if request.shard >= request.shards:
        raise InvalidDataset("shard", f"The shards are numbered from 0 to {request.shards - 1}.")
    items = shard(request.n, request.shards, request.shard)
    held = asked_styles(request.style, card.space)
    return Dataset(card.space, seed, items.start, items.stop, request.balance, held)


def container_of(request: DatasetRequest, card: GeneratorCard, dataset: Dataset) -> Container:
    """Raises InvalidDataset where the format cannot hold the images."""
    try:
        return container(request.format, dataset, card, images.png)
    except ValueError as error:
        detail = str(error)
        raise InvalidDataset("format", f"{detail[0].upper()}{detail[1:]}.") from None


def headers_of(request: DatasetRequest, card: GeneratorCard, dataset: Dataset) -> dict[str, str]:
    name = f"{card.name}-{dataset.seed}-{dataset.start}-{dataset.stop}.{SUFFIX[request.format]}"
    return {
        "Content-Type": MEDIA_TYPE[request.format],
        "Content-Disposition": f'attachment; filename="{name}"',
        "Faussaire-Seed": str(dataset.seed),
        "Faussaire-Index": str(dataset.start),
    }


class Streams:
    """The data sets on their way, of which there may be so many."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._present = 0

    async def opened(self, dataset: Dataset, made: Container, batcher: Batcher) -> AsyncGenerator[bytes]:
        """The stream, its first block drawn: what is refused is refused while there is a status to say so with.

        Raises TooManyStreams and QueueFull.
        """
        if self._present >= self._most:
            raise TooManyStreams(RETRY_SECONDS)
        with self._counted():
            first = next(iter(dataset.blocks()), None)
            drawn = None if first is None else await batcher.submit(dataset.codes(first))
        return self._counting(_streamed(dataset, made, batcher, drawn))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def _counting(self, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        with self._counted():  # here, since nobody closes a stream of which nothing was ever asked
            async with aclosing(stream):
                async for part in stream:
                    yield part


async def _streamed(dataset: Dataset, made: Container, batcher: Batcher, first: Drawn | None) -> AsyncGenerator[bytes]:
    """While one block is encoded and sent, the next is drawn, and no more than that is in memory."""
    blocks = dataset.blocks()
    items, drawn = next(blocks, None), first
    while items is not None and drawn is not None:
        following = next(blocks, None)
        ahead = None if following is None else asyncio.create_task(_patient(batcher, dataset, following))
        try:
            yield await asyncio.to_thread(made.add, items, drawn.images)
            drawn = None if ahead is None else await ahead
        finally:
            if ahead is not None:
                ahead.cancel()  # the client has gone; of a task that is done nothing is left to cancel
        items = following
    for part in made.end():
        yield part


async def _patient(batcher: Batcher, dataset: Dataset, items: range) -> Drawn:
    """A stream that has begun waits where others are refused."""
    while True:
        try:
            return await batcher.submit(dataset.codes(items))
        except QueueFull as full:
            await asyncio.sleep(full.retry_after)
