"""Data sets as streams of bytes, in constant memory."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from functools import partial

from latent.dataset import Dataset
from latent.runs import NO_IMAGES, Images, Part
from service.errors import QueueFull, TooManyStreams
from service.inference.batcher import Batcher
from service.worker import Worker

RETRY_SECONDS = 10
"""The Retry-After of a refused stream. Nobody knows how long the clients of the others take."""


class Streams:
    """The data sets that are being sent, at most `most` at a time."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._present = 0

    def require_room(self) -> None:
        """Raises TooManyStreams."""
        if self._present >= self._most:
            raise TooManyStreams(RETRY_SECONDS)

    async def open(
        self, dataset: Dataset, parts: Iterator[Part], batcher: Batcher, encoding: Worker
    ) -> AsyncGenerator[bytes]:
        """Draw the first block and return the stream: errors of the first block still have a status of their own.

        Raises TooManyStreams and QueueFull.
        """
        self.require_room()
        with self._counted():
            first = next(parts, None)
            images = NO_IMAGES
            if first is not None and first.items:
                images = (await batcher.submit(dataset.codes(first.items))).images
        return self._count(_stream(dataset, first, images, parts, batcher, encoding))

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def _count(self, stream: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
        with self._counted():  # counted here, because nobody closes a stream that was never read
            async with aclosing(stream):
                async for part in stream:
                    yield part


async def _stream(
    dataset: Dataset, part: Part | None, images: Images, parts: Iterator[Part], batcher: Batcher, encoding: Worker
) -> AsyncGenerator[bytes]:
    """Draw the next block while one block is encoded and sent. No more than two blocks are in memory."""
    while part is not None:
        following = next(parts, None)
        needed = None if following is None or not following.items else following.items
        ahead = None if needed is None else asyncio.create_task(_draw_patiently(batcher, dataset, needed))
        try:
            yield await encoding.run(partial(part.write, images))
            images = NO_IMAGES if ahead is None else await ahead
        finally:
            if ahead is not None:
                ahead.cancel()  # if the client has left; a finished task ignores it
        part = following


async def _draw_patiently(batcher: Batcher, dataset: Dataset, items: range) -> Images:
    """Draw a block of a stream that has begun: it waits for a full queue instead of failing."""
    while True:
        try:
            return (await batcher.submit(dataset.codes(items))).images
        except QueueFull as full:
            await asyncio.sleep(full.retry_after)
