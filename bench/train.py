"""Images a second of training beside a plain loop of the same networks: `make bench-train`.

Both train in one process on real MNIST (FAUSSAIRE_DATA_DIR), a few steps each in turn, so that whatever else the
machine does disturbs both. An InfoGAN is timed after its head start.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from bench.tutorial import Tutorial
from training.datasets.images import ImageSet, load_images
from training.loop.capture import taking
from training.loop.run import Config
from training.loop.train import advance, initial_state, make_step
from training.precision import fast_precision
from training.workspace import choose_device

PRESETS = ("dcgan", "cgan", "acgan", "infogan")
WARM_UP = 20
"""steps, in which a card's are captured"""

Train = Callable[[int], None]
"""Train so many steps."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("presets", nargs="*", default=PRESETS)
    parser.add_argument("--data-dir", type=Path, default=Path(os.environ.get("FAUSSAIRE_DATA_DIR", "data")))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=9)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    device = choose_device(chosen.device)
    images = load_images("mnist", chosen.data_dir, train=True)
    print(f"{chosen.threads} threads, {chosen.rounds} rounds of {chosen.steps} steps; medians, least and most")
    for preset in chosen.presets:
        config = Config.of(preset, data="mnist", seed=0, epochs=9)
        ours, plain = project(config, images, device), Tutorial(config, chosen.data_dir, device).train
        walls, busies = alternate(ours, plain, chosen.steps, chosen.rounds)
        seen = chosen.steps * config.batch
        rates = [statistics.median(seen / seconds for seconds in column) for column in zip(*walls, strict=True)]
        print(
            f"{preset:<8} {rates[0]:6.0f} images/s, plain loop {rates[1]:6.0f}; "
            f"{spread(walls)} times as fast, {spread(busies)} by processor time",
            flush=True,
        )


def project(config: Config, images: ImageSet, device: torch.device) -> Train:
    """The step of `faussaire train`."""
    state = initial_state(config, images, device)
    step = make_step(config, images, fast_precision(device))
    take = taking(step, device)
    resident = images.to(device)
    state.step = step.head_start
    state.codes = resident.labels  # as many classes as an InfoGAN finds

    def train(steps: int) -> None:
        for _ in range(steps):
            advance(state, take, resident, config)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return train


def alternate(
    ours: Train, plain: Train, steps: int, rounds: int
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Seconds of (ours, plain) in each round: by the clock, and of the processor."""
    walls, busies = [], []
    for train in (ours, plain):
        train(WARM_UP)
    for _ in range(rounds):
        (wall, busy), (plain_wall, plain_busy) = measure(ours, steps), measure(plain, steps)
        walls.append((wall, plain_wall))
        busies.append((busy, plain_busy))
    return walls, busies


def measure(train: Train, steps: int) -> tuple[float, float]:
    started, busy = time.perf_counter(), time.process_time()
    train(steps)
    return time.perf_counter() - started, time.process_time() - busy


def spread(rounds: list[tuple[float, float]]) -> str:
    ratios = [plain / ours for ours, plain in rounds]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
