"""How the service bears load: `python -m bench.load [IMAGES]`, with requests for so many images each (64).

The server has one core and the load another. Latencies and rates are compared with others of the same run: at 80 % of
the peak, at three times the peak, and alone before and after.
"""

import asyncio
import json
import os
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

import httpx
import numpy as np

from bench.compare import LOAD_CORE, OURS, ROOT, servers_of, started, wait_for

PEAK_CLIENTS = 32
SECONDS = 8.0
FILLED = 2.0
"""Seconds after which the queue is as long as it becomes."""
OFFERED = (0.8, 3.0)
LONE = 50


@dataclass
class Answers:
    """Of one kind of load: when each came after the load began, its status, and how long it took, in seconds."""

    times: list[float] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def of(self, status: int) -> list[float]:
        """Latencies in milliseconds of the answers with this status."""
        return [seconds * 1e3 for seconds, found in zip(self.latencies, self.statuses, strict=True) if found == status]

    def rate(self, begin: float, end: float) -> float:
        """Answers with images a second, between two times."""
        served = [time for time, status in zip(self.times, self.statuses, strict=True) if status == httpx.codes.OK]
        return sum(begin <= time < end for time in served) / (end - begin)


class Connection:
    """A connection that is kept."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port

    async def open(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def ask(self, body: bytes) -> int:
        """The status."""
        head = b"POST /v1/images HTTP/1.1\r\nHost: t\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._writer.write(head % len(body) + body)
        answered = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(answered.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await self._reader.readexactly(length)
        return int(answered.split()[1])


class Load:
    def __init__(self, url: str, images: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._images = images
        self._seed = 0
        self._idle: deque[Connection] = deque()

    async def ask(self, answers: Answers, began: float) -> None:
        self._seed += 1
        body = json.dumps({"class": "7", "seed": self._seed, "style": [0.5, -0.5], "n": self._images}).encode()
        connection = self._idle.popleft() if self._idle else await Connection(self._host, self._port).open()
        asked = time.perf_counter()
        try:
            status = await connection.ask(body)
        except (ConnectionError, asyncio.IncompleteReadError):  # it was idle for longer than the server keeps it
            connection = await Connection(self._host, self._port).open()
            status = await connection.ask(body)
        now = time.perf_counter()
        self._idle.append(connection)
        answers.times.append(now - began)
        answers.statuses.append(status)
        answers.latencies.append(now - asked)

    async def closed(self, clients: int, seconds: float) -> Answers:
        """Each client asks again as soon as it is answered."""
        answers, began = Answers(), time.perf_counter()

        async def client() -> None:
            while time.perf_counter() - began < seconds:
                await self.ask(answers, began)

        await asyncio.gather(*(client() for _ in range(clients)))
        return answers

    async def offered(self, rate: float, seconds: float) -> Answers:
        """So many requests a second, whether the others are answered or not."""
        answers, began = Answers(), time.perf_counter()
        asking: set[asyncio.Task[None]] = set()
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, number / rate - (time.perf_counter() - began)))
            task = asyncio.create_task(self.ask(answers, began))
            asking.add(task)
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)
        return answers

    async def alone(self, count: int) -> Answers:
        answers = Answers()
        for _ in range(count):
            await self.ask(answers, 0)
        return answers


async def run(url: str, images: int) -> None:
    load = Load(url, images)
    await load.closed(PEAK_CLIENTS, 1)
    before = (await load.alone(LONE)).of(200)
    print(f"{'alone':<14}{percentiles(before)}; {inference_share(url, images)}")
    peak = (await load.closed(PEAK_CLIENTS, SECONDS)).rate(FILLED, SECONDS)
    print(f"{'peak':<14}{peak:,.0f} requests/s, {peak * images:,.0f} images/s")
    for share in OFFERED:
        answers = await load.offered(peak * share, SECONDS)
        served, refused = answers.of(200), answers.of(429)
        goodput = answers.rate(FILLED, SECONDS) / peak
        told = f"{goodput:.0%} of the peak answered, {percentiles(served)}, p99/p50 {ratio(served):.1f}"
        told += f"; {len(refused) / len(answers.statuses):.0%} refused, {percentiles(refused)}" if len(refused) else ""
        others = len(answers.statuses) - len(served) - len(refused)
        print(f"{f'{share:.0%} of it':<14}{told}" + (f"; {others} others" if others else ""))
    print(f"{'alone again':<14}{percentiles((await load.alone(LONE)).of(200))}")


def percentiles(milliseconds: Sequence[float]) -> str:
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms"


def ratio(milliseconds: Sequence[float]) -> float:
    p50, p99 = np.percentile(milliseconds, [50, 99])
    return float(p99 / p50)


def inference_share(url: str, images: int) -> str:
    """What `Server-Timing` says of a lone request, by the median."""
    with httpx.Client(base_url=url) as client:
        bodies = [{"class": "7", "seed": seed, "style": [0.5, -0.5], "n": images} for seed in range(LONE)]
        told = [client.post("/v1/images", json=body).headers["server-timing"] for body in bodies]
    inference = [float(part.partition("inference;dur=")[2].partition(",")[0]) for part in told]
    return f"inference {np.median(inference):.2f} ms of it"


def main() -> None:
    images = int(sys.argv[1]) if len(sys.argv) > 1 else 64
    command, _ = servers_of(ROOT / ".venv/serve/bin/python", ROOT / ".venv/peers/bin/python")[OURS]
    with started(command) as (_, url):
        wait_for(url)
        os.sched_setaffinity(0, {LOAD_CORE})
        asyncio.run(run(url, images))


if __name__ == "__main__":
    main()
