"""Counts in memory, written to Prometheus' files a few times a second.

One write to a file that the workers share costs as much as ten counts here, and a request would make a dozen.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from prometheus_client import Counter, Gauge, Histogram

EVERY = 0.25
"""Seconds between two writes: the most that a worker's count is behind in what another worker tells Prometheus."""


class Bins:
    """What a histogram observed: how many values in each of its buckets, and their sum."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, histogram: Histogram) -> None:
        self.bounds = histogram._upper_bounds
        self.counts = [0] * len(self.bounds)
        self.total = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Tally:
    """To be used in the thread of the event loop alone."""

    def __init__(self) -> None:
        self._counts: dict[tuple[Counter | Gauge, tuple[str, ...]], float] = defaultdict(float)
        self._bins: dict[tuple[Histogram, tuple[str, ...]], Bins] = {}

    def count(self, metric: Counter | Gauge, *labels: str, by: float = 1) -> None:
        self._counts[metric, labels] += by

    def observe(self, histogram: Histogram, value: float, *labels: str) -> None:
        bins = self._bins.get((histogram, labels))
        if bins is None:
            bins = self._bins[histogram, labels] = Bins(histogram)
        bins.add(value)

    def write(self) -> None:
        """Add what was counted since the last time."""
        counts, self._counts = self._counts, defaultdict(float)
        for (metric, labels), by in counts.items():
            if by:
                (metric.labels(*labels) if labels else metric).inc(by)
        observed, self._bins = self._bins, {}
        for (histogram, labels), bins in observed.items():
            child = histogram.labels(*labels) if labels else histogram
            # The library has no way to add many observations at once.
            child._sum.inc(bins.total)
            for bucket, count in zip(child._buckets, bins.counts, strict=True):
                if count:
                    bucket.inc(count)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Write regularly, and once more at the end."""
        task = asyncio.create_task(self._write_for_ever())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            self.write()

    async def _write_for_ever(self) -> None:
        while True:
            await asyncio.sleep(EVERY)
            self.write()
