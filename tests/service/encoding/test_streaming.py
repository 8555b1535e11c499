import asyncio
from typing import Any, cast

import numpy as np
import pytest

from latent import Codes
from latent.containers import WebDataset
from latent.dataset import BLOCK, Dataset
from latent.runs import parts
from service.encoding.streaming import RETRY_SECONDS, Streams
from service.errors import QueueFull, TooManyStreams
from service.inference.batcher import Batcher, Drawn
from service.worker import Worker
from tests.conftest import small_card


class Drawing:
    """A batcher that draws black images when it is let, and remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.dropped = 0
        self.refusals = 0
        self.open = asyncio.Event()
        self.open.set()
        self.held = asyncio.Event()

    async def submit(self, codes: Codes) -> Drawn:
        if self.refusals:
            self.refusals -= 1
            raise QueueFull(0)
        self.asked.append(len(codes))
        if not self.open.is_set():
            self.held.set()
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        return Drawn(np.zeros((len(codes), 28, 28, 1), np.uint8), 0, 0)


def opening(streams: Streams, drawing: Drawing, blocks: int) -> Any:
    card = small_card()
    dataset = Dataset(card.space, 0, 0, BLOCK * blocks)
    container = WebDataset(dataset, card)
    return streams.open(dataset, parts(container.runs()), cast("Batcher", drawing), Worker("encoding", 9))


def test_one_block_is_drawn_ahead_and_no_more() -> None:
    async def scenario() -> list[int]:
        drawing = Drawing()
        stream = await opening(Streams(1), drawing, 4)
        return [len(drawing.asked) async for _ in stream]

    assert asyncio.run(scenario()) == [2, 3, 4, 4, 4]


def test_the_rows_of_a_client_that_has_gone_are_dropped_and_its_place_is_free() -> None:
    async def scenario() -> None:
        drawing, streams = Drawing(), Streams(1)
        stream = await opening(streams, drawing, 4)
        await anext(stream)
        with pytest.raises(TooManyStreams) as refused:
            await opening(streams, drawing, 1)
        assert refused.value.retry_after == RETRY_SECONDS
        drawing.open.clear()
        waiting = asyncio.create_task(anext(stream))
        await drawing.held.wait()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert drawing.dropped == 1
        drawing.open.set()
        await anext(await opening(streams, drawing, 1))

    asyncio.run(scenario())


def test_a_stream_that_has_begun_waits_where_others_are_refused() -> None:
    async def scenario() -> None:
        drawing, streams = Drawing(), Streams(1)
        drawing.refusals = 1
        with pytest.raises(QueueFull):
            await opening(streams, drawing, 2)
        stream = await opening(streams, drawing, 2)
        drawing.refusals = 3
        assert len([part async for part in stream]) == 3
        assert drawing.asked == [BLOCK, BLOCK]

    asyncio.run(scenario())
