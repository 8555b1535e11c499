"""What is left of the generator's own rate: `python -m bench.formats`.

The service draws 64 images a request in each format, and a data set. It has one core. Beside each is a loop of ONNX
Runtime, in batches of 16, and the same encoder, without a server, on the same core in the same run.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from numpy.typing import NDArray

from bench.compare import OURS, ROOT, SERVER_CORE, cpu_seconds, load, servers_of, started, wait_for
from latent import draw_codes
from latent.png import encode_png, encode_pngs, store_pngs
from latent.sheet import tile
from service.inference.generator import Generator

IMAGES = 64
ITEMS = 100_000
SECONDS = 4
ROUNDS = 3

Images = NDArray[np.uint8]
Encode = Callable[[Images], object]

FORMATS: dict[str, Encode] = {
    "sheet": lambda images: encode_png(tile(images)),
    "zip": lambda images: encode_pngs(images),
    "json": lambda images: encode_pngs(images),
    "npy": lambda images: images.tobytes(),
}
DATASETS: dict[str, Encode] = {
    "idx": lambda images: images.tobytes(),
    "webdataset": store_pngs,
    "parquet": store_pngs,
    "zip": lambda images: encode_pngs(images),
}


def main() -> None:
    command, path = servers_of(ROOT / ".venv/serve/bin/python", Path())[OURS]
    generator = Generator(ROOT / "models/mnist-infogan.onnx", threads=1)
    shares: dict[str, list[float]] = {}
    costs: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        with started(command) as (process, url):
            wait_for(url)
            for name, encode in FORMATS.items():
                cost = load(process, url, path, IMAGES, SECONDS, BENCH_FORMAT=name).cpu / IMAGES
                shares.setdefault(name, []).append(loop(generator, encode) / cost)
                costs.setdefault(name, []).append(cost)
            for name, encode in DATASETS.items():
                before = cpu_seconds(process)
                draw_dataset(url, name)
                cost = (cpu_seconds(process) - before) * 1e6 / ITEMS
                shares.setdefault(f"data set, {name}", []).append(loop(generator, encode) / cost)
                costs.setdefault(f"data set, {name}", []).append(cost)
    for name, each in shares.items():
        spread = f"{median(each):.0%} ({min(each):.0%}..{max(each):.0%})"
        print(f"{name:<22}{median(costs[name]):6.1f} us of CPU an image, {spread:>18} of the loop's rate")


def loop(generator: Generator, encode: Encode) -> float:
    """Microseconds of CPU an image, without a server, in turns as long as a request."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {SERVER_CORE})
    try:
        codes = draw_codes(generator.version.card.space, 1, 0, IMAGES)
        taken = []
        for _ in range(50):
            began = time.process_time()
            encode(np.concatenate([generator.generate(codes[row : row + 16]) for row in range(0, IMAGES, 16)]))
            taken.append(time.process_time() - began)
        return float(np.median(taken)) * 1e6 / IMAGES
    finally:
        os.sched_setaffinity(0, allowed)


def draw_dataset(url: str, kind: str) -> None:
    with httpx.stream("POST", f"{url}/v1/datasets", json={"n": ITEMS, "format": kind, "seed": 1}, timeout=60) as answer:
        answer.raise_for_status()
        for _ in answer.iter_raw():
            pass


if __name__ == "__main__":
    main()
