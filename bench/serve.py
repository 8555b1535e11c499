"""How much of the machine's limit the service reaches: `python -m bench.serve [models/NAME.onnx]`.

A real server and its clients share this machine's cores, so every figure is a ratio to a limit measured in the same
run, or CPU time: of the server's processes alone, whatever the clients cost.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import psutil

from latent import Codes, draw_classes, draw_noise, draw_styles
from service.inference.generator import Generator

PORT = 3999
CLIENTS = 8
SECONDS = 4.0

Answer = tuple[float, float]
"""Images a second, and CPU microseconds of the server an image."""


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "models/mnist-infogan.onnx")
    generator = Generator(path, threads=1)
    limit = inference_limit(generator)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {generator.version.card.training.parameters:,} parameters")
    print(f"limit: inference alone on one core, {limit:,.0f} images/s, {1e6 / limit:.1f} us CPU an image")
    with server(path.parent) as process:
        for n in (1, 10, 100, 1000):
            rate, cpu = asyncio.run(measure(process, generator.version.card.name, n))
            share = 1e6 / limit / cpu
            print(
                f"n={n:<5} {rate:10,.0f} images/s {cpu:9.1f} us CPU an image, of which inference is {share:5.1%}; "
                f"{cpu * n:9,.0f} us CPU a request"
            )


def inference_limit(generator: Generator) -> float:
    """Images a second of CPU time, with nothing around the inference."""
    space, count = generator.version.card.space, 2048
    codes = Codes(
        draw_noise(space, 0, 0, count), space.one_hot(draw_classes(space, 0, 0, count)), draw_styles(space, 0, 0, count)
    )
    generator.generate(codes)
    times = []
    for _ in range(5):
        started = time.process_time()
        generator.generate(codes)
        times.append(time.process_time() - started)
    return count / float(np.median(times))


async def measure(process: psutil.Process, model: str, n: int) -> Answer:
    """Closed loop: each client asks again as soon as it is answered."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as client:
        before, started = cpu_seconds(process), time.perf_counter()
        counts = await asyncio.gather(*(ask(client, model, n, started + SECONDS, k) for k in range(CLIENTS)))
        seconds = time.perf_counter() - started
    images = sum(counts) * n
    return images / seconds, (cpu_seconds(process) - before) * 1e6 / images


async def ask(client: httpx.AsyncClient, model: str, n: int, until: float, seed: int) -> int:
    answered = 0
    while time.perf_counter() < until or not answered:
        body = {"model": model, "n": n, "seed": seed}
        (await client.post("/v1/images", json=body)).raise_for_status()
        answered += 1
    return answered


def cpu_seconds(process: psutil.Process) -> float:
    times = [part.cpu_times() for part in [process, *process.children(recursive=True)]]
    return sum(t.user + t.system for t in times)


@contextmanager
def server(models: Path) -> Iterator[psutil.Process]:
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {
            "BENTOML_HOME": home,
            "BENTOML_DO_NOT_TRACK": "True",
            "FAUSSAIRE_MODELS_DIR": str(models.resolve()),
        }
        command = [str(Path(sys.executable).parent / "bentoml"), "serve", ".", "--host", "127.0.0.1"]
        started = subprocess.Popen(
            [*command, "--port", str(PORT)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=8), timeout=60) as client:
                client.get(f"http://127.0.0.1:{PORT}/readyz").raise_for_status()
            yield psutil.Process(started.pid)
        finally:
            started.terminate()
            started.wait(60)


if __name__ == "__main__":
    main()
