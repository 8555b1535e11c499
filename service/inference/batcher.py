"""Gathers the rows that wait for one generator into batches. The rows that queue while one batch runs are the next."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from latent import Codes
from service.errors import QueueFull
from service.telemetry import metrics
from service.threads import Threads

Images = NDArray[np.uint8]
Generate = Callable[[Codes], Images]

BATCH_ROWS = 256
"""The most rows of a batch: enough to fill the cores, and few enough that the next request is soon in turn."""

SLICE_ROWS = 32
"""The least that is the share of a job in a batch, however many others wait: smaller shares cost more to hand out, and
larger ones let a lone image wait longer."""


QUICK = 0.002
"""Seconds of an inference, as the last one lets expect, that may hold the event loop up."""


class Drawn(NamedTuple):
    """A job's images, and the seconds that it waited and was drawn."""

    images: Images
    """(N, H, W, channels)"""
    queued: float
    inference: float


@dataclass(eq=False, slots=True)
class Job:
    """Rows submitted together. The batcher draws slices, so that a small job need not wait for a large one."""

    codes: Codes
    rows: int
    done: "asyncio.Future[Drawn]"
    submitted: float = field(default_factory=time.perf_counter)
    taken: int = 0
    drawn: int = 0
    queued: float = 0.0
    inference: float = 0.0
    parts: list[Images] = field(default_factory=list)

    def take(self, rows: int) -> Codes:
        if not self.taken:
            self.queued = time.perf_counter() - self.submitted
        if not self.taken and rows >= self.rows:
            self.taken = self.rows
            return self.codes
        part = self.codes[self.taken : self.taken + rows]
        self.taken += len(part)
        return part

    @property
    def waiting(self) -> int:
        return self.rows - self.taken


class Batcher:
    """Draws the rows of many requests in batches, by one thread for each generator; `generate` draws one batch.

    Use it as an async context manager, or drop the last reference: it draws all submitted rows, then its thread ends.
    """

    def __init__(self, name: str, generate: Generate, *, max_rows: int, slice_rows: int = SLICE_ROWS) -> None:
        self._name = name
        self._generate = generate
        self._max_rows = max_rows
        self._slice_rows = slice_rows
        self._jobs: deque[Job] = deque()
        self._rows = 0
        self._drawing: asyncio.Task[None] | None = None
        self._rate = 0.0
        self._thread = Threads(f"batcher-{name}")

    async def __aenter__(self) -> "Batcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._drawing is not None:
            self._drawing.cancel()
            await asyncio.gather(self._drawing, return_exceptions=True)
        self._thread.close()

    def require_room(self, rows: int) -> None:
        """Raises QueueFull if so many rows would be too many. To ask before planning makes a refusal cheap."""
        if self._rows + rows > self._max_rows:
            raise QueueFull(self._seconds_to_drain())

    async def submit(self, codes: Codes) -> Drawn:
        """Draw the images of `codes`. Raises QueueFull, or the error that `generate` raised for these rows."""
        rows = len(codes)
        self.require_room(rows)
        job = Job(codes, rows, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._count(rows)
        if self._drawing is None:
            # The task ends with the last job. A task that waits for jobs would keep the batcher alive.
            self._drawing = asyncio.create_task(self._draw_all())
        return await job.done

    def _seconds_to_drain(self) -> int:
        return max(1, math.ceil(self._rows / self._rate)) if self._rate else 1

    def _count(self, rows: int) -> None:
        self._rows += rows
        # Not set: a replaced batcher of this model may still draw.
        metrics.count(metrics.QUEUE_ROWS, self._name, by=rows)

    async def _draw_all(self) -> None:
        try:
            while batch := self._next_batch():
                await self._draw(batch)
                if self._jobs:
                    await asyncio.sleep(0)  # the event loop has a turn, whoever drew
        finally:
            self._drawing = None

    def _next_batch(self) -> list[tuple[Job, Codes]]:
        """A slice of each job in turn until the batch is full. A job with rows left goes to the end of the queue."""
        batch: list[tuple[Job, Codes]] = []
        space = BATCH_ROWS
        share = max(self._slice_rows, space // max(1, len(self._jobs)))
        while space and self._jobs:
            job = self._jobs.popleft()
            if job.done.done():  # the client has gone
                self._count(-job.waiting)
                continue
            part = job.take(min(share, space))
            space -= len(part)
            self._count(-len(part))
            batch.append((job, part))
            if job.waiting:
                self._jobs.append(job)
        return batch

    async def _draw(self, batch: list[tuple[Job, Codes]]) -> None:
        started = time.perf_counter()
        try:
            images = await self._infer([codes for _, codes in batch])
        except Exception as error:  # noqa: BLE001 - each job gets its own error
            await self._isolate(batch, error)
            return
        seconds = time.perf_counter() - started
        self._rate = len(images) / seconds
        metrics.observe(metrics.BATCH_ROWS, len(images), self._name)
        metrics.observe(metrics.INFERENCE_SECONDS, seconds, self._name)
        for job in dict.fromkeys(job for job, _ in batch):  # a batch may have several slices of a job
            job.inference += seconds
        start = 0
        for job, codes in batch:
            self._hand_over(job, images[start : start + len(codes)])
            start += len(codes)

    async def _infer(self, parts: list[Codes]) -> Images:
        """A thread does what takes long. What is quick is done at once: it takes less than to wake a thread."""
        whole = Codes.concatenate(parts)
        if len(whole) > self._rate * QUICK:
            return await self._thread.run(lambda: self._generate(whole))
        return self._generate(whole)

    async def _isolate(self, batch: list[tuple[Job, Codes]], error: Exception) -> None:
        """Draw each part of a failed batch alone, so that one job's failure is its own."""
        if len(batch) > 1:
            for part in batch:
                await self._draw([part])
            return
        job = batch[0][0]
        if not job.done.done():
            job.done.set_exception(error)

    def _hand_over(self, job: Job, images: Images) -> None:
        job.parts.append(images)
        job.drawn += len(images)
        if job.drawn < job.rows or job.done.done():
            return
        metrics.observe(metrics.QUEUE_SECONDS, job.queued, self._name)
        metrics.count(metrics.IMAGES, self._name, by=job.drawn)
        whole = images if len(job.parts) == 1 else np.concatenate(job.parts)
        job.done.set_result(Drawn(whole, job.queued, job.inference))
