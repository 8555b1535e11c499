"""Images a second by the card and by one thread of the processor: `python -m bench.device [models/NAME.onnx]`."""

import sys
import time
from pathlib import Path

import numpy as np

from latent import Codes, draw_codes
from service.errors import InvalidModel
from service.inference.generator import Generator
from service.settings import Device

ROWS = (1, 16, 256, 4096)
SECONDS = 0.5


def main() -> None:
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "models/mnist-infogan.onnx")
    devices: tuple[Device, ...] = ("cuda", "cpu")
    for device in devices:
        try:
            generator = Generator(path, threads=1, device=device)
        except InvalidModel as error:
            print(f"{device}: {error}")
            continue
        for rows in ROWS:
            seconds = measure(generator, draw_codes(generator.version.card.space, 1, 0, rows))
            print(f"{device}: {rows:>5} rows {rows / seconds:12,.0f} images/s {seconds * 1e6:9,.0f} us")


def measure(generator: Generator, codes: Codes) -> float:
    """Seconds of a batch, the median of half a second's."""
    for _ in range(3):
        generator.generate(codes)
    taken, until = [], time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter()
        generator.generate(codes)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


if __name__ == "__main__":
    main()
