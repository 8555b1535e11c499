"""What one replica needs, for the requests and limits of k8s/: `python -m bench.resources [FOLDER]`.

A real server of the models of FOLDER (models/) gets one kind of request after the other from as many clients as keep
it busy, then all of them at once. Cores are CPU seconds of its processes a second; memory is their proportional set
size at its highest, which is what a container's limit counts, less the files that the kernel can let go of.
"""

import asyncio
import io
import os
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
from PIL import Image, ImageDraw

from bench.compare import OURS, cpu_seconds, servers_of, started, wait_for

CLIENTS = 8
SECONDS = 6.0
MEBIBYTE = 2**20


@dataclass(frozen=True)
class Load:
    """A request that each client makes again and again, and how many images it asks for."""

    name: str
    path: str
    images: int
    body: dict[str, Any] | None = None
    content: bytes | None = None


def main() -> None:
    models = Path(sys.argv[1] if len(sys.argv) > 1 else "models")
    command, _ = servers_of(Path(sys.executable), Path())[OURS]
    cores = sorted(os.sched_getaffinity(0))
    began = time.perf_counter()
    with started(command, cores, FAUSSAIRE_MODELS_DIR=str(models.resolve())) as (process, url):
        wait_for(url)
        print(f"ready after {time.perf_counter() - began:.1f} s, {cpu_seconds(process):.1f} s of CPU")
        print(f"{'idle':<20}{'':>45}{memory(process):7.0f} MiB")
        each = loads()
        for load in each:
            asyncio.run(report(process, url, load.name, [load] * CLIENTS))
        asyncio.run(report(process, url, "all at once", each * 2))
        print(f"{'idle again':<20}{'':>45}{memory(process):7.0f} MiB")


def loads() -> list[Load]:
    """From the lightest request to the heaviest that the settings allow."""
    png, photo = io.BytesIO(), Image.new("RGB", (4096, 4096))
    ImageDraw.Draw(photo).line([(2600, 800), (1600, 3300)], "white", 400)
    photo.save(png, "PNG")
    ends = {"from": {"class": "3", "seed": 1}, "to": {"class": "8"}}
    return [
        Load("one image", "/v1/images", 1, {"n": 1}),
        Load("100 images", "/v1/images", 100, {"n": 100}),
        Load("1,000 images", "/v1/images", 1000, {"n": 1000}),
        Load("1,000 of JSON", "/v1/images", 1000, {"n": 1000, "format": "json"}),
        Load("a sheet of 16 Mpx", "/v1/images", 81, {"n": 81, "format": "sheet", "scale": 16}),
        Load("a GIF of 16 Mpx", "/v1/interpolations", 240, {**ends, "frames": 240, "format": "gif", "scale": 9}),
        Load("a photo of 16 Mpx", "/v1/codes", 1, content=png.getvalue()),
        Load("data sets", "/v1/datasets", 20_000, {"n": 20_000}),
    ]


async def report(process: psutil.Process, url: str, name: str, clients: list[Load]) -> None:
    before, started = cpu_seconds(process), time.perf_counter()
    async with httpx.AsyncClient(base_url=url, timeout=120) as client:
        watching = asyncio.create_task(peak(process))
        until = started + SECONDS
        counts = await asyncio.gather(*(ask(client, load, until) for load in clients))
        watching.cancel()
    seconds, cpu = time.perf_counter() - started, cpu_seconds(process) - before
    images = sum(counts)
    print(
        f"{name:<20}{images / seconds:9,.0f} images/s{cpu * 1e6 / images:9,.0f} us CPU an image"
        f"{cpu / seconds:5.2f} cores{await watching:7.0f} MiB"
    )


async def ask(client: httpx.AsyncClient, load: Load, until: float) -> int:
    """Images drawn; a full queue is asked again."""
    drawn = 0
    while time.perf_counter() < until or not drawn:
        async with client.stream("POST", load.path, json=load.body, content=load.content) as answer:
            async for _ in answer.aiter_raw():
                pass
        if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            answer.raise_for_status()
            drawn += load.images
    return drawn


async def peak(process: psutil.Process) -> float:
    """The most that was in use until it is cancelled, in MiB."""
    most = 0.0
    with suppress(asyncio.CancelledError):
        while True:
            most = max(most, memory(process))
            await asyncio.sleep(0.1)
    return most


def memory(process: psutil.Process) -> float:
    parts = [process, *process.children(recursive=True)]
    return float(sum(part.memory_full_info().pss for part in parts)) / MEBIBYTE


if __name__ == "__main__":
    main()
