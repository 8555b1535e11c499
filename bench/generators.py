"""The cost of an image by each size of generator: `python -m bench.generators`.

Weights are random, on which the cost does not depend.
"""

import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from latent import ImageShape, LatentSpace, draw_codes
from training.export.generator import Exported
from training.export.graph import make_graph
from training.export.rounding import round_generator
from training.networks.build import build
from training.recipes.presets import latent_space

NETWORKS = ("slim", "compact", "wide", "paper")
IMAGE = ImageShape(height=28, width=28, channels=1)
CLASSES = tuple("0123456789")
ROWS = 16
"""Rows of an inference: with more, an image costs hardly less."""
RUNS = 100
ROUNDS = 9


def main() -> None:
    space = latent_space("cgan", "uniform", CLASSES)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{network}.onnx" for network in NETWORKS]
        weights = [export(path, space) for path in files]
        alone, together = (measure_costs(files, space, rows) for rows in (1, ROWS))
        print(f"microseconds of CPU an image, one alone and in batches of {ROWS}")
        for path, count, one, many in zip(files, weights, alone, together, strict=True):
            print(f"{path.stem:<8} {count:>9,} weights {path.stat().st_size / 1e6:6.2f} MB {one:7.1f} {many:7.1f}")


def export(path: Path, space: LatentSpace) -> int:
    """Write a generator of the network that the file is named by; return the number of its weights."""
    torch.manual_seed(0)
    generator = build(path.stem, "non-saturating", "cgan", space, IMAGE, dropout=0).generator.eval()
    exact = round_generator(generator.requires_grad_(False), space)
    inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(space, 0, 0, 2).inputs().items()}
    onnx.save(make_graph(Exported(exact, space).eval(), inputs, ["image"], {}), path)
    return sum(weights.numel() for weights in generator.parameters())


def measure_costs(files: list[Path], space: LatentSpace, rows: int) -> list[float]:
    """Microseconds of one core an image by each file: the least of some rounds, in turn, for other work may go on."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = [ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]) for path in files]
    codes = draw_codes(space, 1, 0, rows).inputs()
    taken = np.empty((ROUNDS, len(files)))
    for costs in taken:
        for place, session in enumerate(sessions):
            started = time.process_time()
            for _ in range(RUNS):
                session.run(["image"], codes)
            costs[place] = (time.process_time() - started) / RUNS / rows * 1e6
    costs_of_files: list[float] = taken.min(0).tolist()
    return costs_of_files


if __name__ == "__main__":
    main()
