import asyncio
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from latent import Codes
from service.errors import QueueFull
from service.inference.batcher import BATCH_ROWS, Batcher, Drawn, Images


def codes(*values: float) -> Codes:
    noise = np.array(values, np.float32)[:, None]
    return Codes(noise, np.zeros((len(values), 0), np.float32), np.zeros((len(values), 0), np.float32))


def paint(given_codes: Codes) -> Images:
    """Each image is one pixel: its own noise."""
    return given_codes.noise.astype(np.uint8)[:, :, None, None]


class Held:
    """A generator that stops at its first batch until it is let go, and remembers what it drew."""

    def __init__(self, draw: Callable[[Codes], Images] = paint) -> None:
        self.entered = threading.Event()
        self.released = threading.Event()
        self.batches: list[list[int]] = []
        self._draw = draw

    def __call__(self, given_codes: Codes) -> Images:
        self.batches.append(given_codes.noise[:, 0].astype(int).tolist())
        self.entered.set()
        assert self.released.wait(30)
        return self._draw(given_codes)


async def occupied(batcher: Batcher, held: Held) -> "asyncio.Task[Drawn]":
    """A batcher whose thread is busy with a job of value 0."""
    first = asyncio.create_task(batcher.submit(codes(0)))
    await asyncio.to_thread(held.entered.wait, 30)
    return first


async def queued(batcher: Batcher, *jobs: Codes) -> "list[asyncio.Task[Drawn]]":
    tasks = [asyncio.create_task(batcher.submit(job)) for job in jobs]
    await asyncio.sleep(0)  # lets each task run up to its wait
    return tasks


def batcher_of(generate: Callable[[Codes], Images], max_rows: int = 10_000) -> Batcher:
    return Batcher("test", generate, max_rows=max_rows, slice_rows=4)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_each_job_gets_its_own_images_in_order(sizes: list[int]) -> None:
    values = np.arange(sum(sizes)) % 256
    jobs = np.split(values, np.cumsum(sizes)[:-1])

    async def run() -> list[NDArray[np.uint8]]:
        async with batcher_of(paint) as batcher:
            drawn = await asyncio.gather(*(batcher.submit(codes(*job)) for job in jobs))
        return [d.images[:, 0, 0, 0] for d in drawn]

    for job, images in zip(jobs, asyncio.run(run()), strict=True):
        assert images.tolist() == job.tolist()


def test_what_queued_while_a_batch_ran_is_the_next_batch() -> None:
    async def run() -> list[list[int]]:
        held = Held()
        async with batcher_of(held) as batcher:
            first = await occupied(batcher, held)
            rest = await queued(batcher, codes(1), codes(2, 3), codes(4))
            held.released.set()
            await asyncio.gather(first, *rest)
        return held.batches

    assert asyncio.run(run()) == [[0], [1, 2, 3, 4]]


def test_a_small_job_does_not_wait_for_a_large_one_to_end() -> None:
    async def run() -> list[list[int]]:
        held = Held()
        async with batcher_of(held) as batcher:
            first = await occupied(batcher, held)
            large, small = await queued(batcher, codes(*[7] * 4 * BATCH_ROWS), codes(9))
            held.released.set()
            await asyncio.gather(first, large, small)
        return held.batches

    batches = asyncio.run(run())
    assert 9 in batches[1]
    assert max(map(len, batches)) <= BATCH_ROWS
    assert sum(map(len, batches)) == 4 * BATCH_ROWS + 2


def test_a_full_queue_refuses_with_a_time_to_come_back() -> None:
    async def run() -> None:
        held = Held()
        async with batcher_of(held, max_rows=3) as batcher:
            first = await occupied(batcher, held)
            rest = await queued(batcher, codes(1, 2, 3))
            with pytest.raises(QueueFull) as refused:
                await batcher.submit(codes(4))
            assert refused.value.retry_after >= 1
            held.released.set()
            await asyncio.gather(first, *rest)
            await batcher.submit(codes(5, 6, 7))  # there is room again

    asyncio.run(run())


def test_a_cancelled_job_frees_its_rows_and_is_not_drawn() -> None:
    async def run() -> list[list[int]]:
        held = Held()
        async with batcher_of(held, max_rows=3) as batcher:
            first = await occupied(batcher, held)
            (gone,) = await queued(batcher, codes(1, 2, 3))
            gone.cancel()
            held.released.set()
            await first
            await batcher.submit(codes(4, 5, 6))
        return held.batches

    assert asyncio.run(run()) == [[0], [4, 5, 6]]


def test_a_job_that_fails_fails_alone() -> None:
    def draw(given_codes: Codes) -> Images:
        if 13 in given_codes.noise:
            raise ValueError("thirteen")
        return paint(given_codes)

    async def run() -> None:
        held = Held(draw)
        async with batcher_of(held) as batcher:
            first = await occupied(batcher, held)
            rest = await queued(batcher, codes(1), codes(13), codes(2))
            held.released.set()
            _, one, thirteen, two = await asyncio.gather(first, *rest, return_exceptions=True)
        assert isinstance(thirteen, ValueError)
        assert not isinstance(one, BaseException)
        assert not isinstance(two, BaseException)

    asyncio.run(run())


def test_a_job_was_inferred_no_longer_than_its_batches_took() -> None:
    """However many slices of it a batch has."""

    async def run() -> tuple[float, float]:
        def slow(given_codes: Codes) -> Images:
            time.sleep(0.05)
            return paint(given_codes)

        async with batcher_of(slow) as batcher:
            started = time.perf_counter()
            drawn = await batcher.submit(codes(*range(40)))
            return drawn.inference, time.perf_counter() - started

    inference, whole = asyncio.run(run())
    assert 0.05 <= inference <= whole
