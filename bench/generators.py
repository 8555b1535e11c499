"""The cost of an image by the shipped InfoGANs and by the paper's generator: `python -m bench.generators`."""

import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch

from latent import GeneratorCard, LatentSpace, draw_codes
from latent.card import recogniser_path
from training.export.generator import Exported
from training.export.graph import make_graph
from training.export.model import Model
from training.export.rounding import round_generator
from training.networks.build import build

SHIPPED = (Path("models/mnist-infogan.onnx"), Path("models/fashion-infogan.onnx"))
ROWS = 16
"""Rows of an inference: with more, an image costs hardly less."""
RUNS = 200
ROUNDS = 7


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in SHIPPED:
            card = Model(path).card
            paper = Path(folder) / f"paper-{path.name}"
            export_paper(paper, card)
            costs = [measure_cost(file, card.space, ROWS) for file in (path, paper)]
            alone = measure_cost(path, card.space, 1)
            size = path.stat().st_size + recogniser_path(path).stat().st_size
            print(
                f"{card.name}: {costs[0]:.1f} us of CPU an image, {size / 1e6:.2f} MB with its recogniser; the paper's "
                f"generator {costs[1]:.1f} us, {paper.stat().st_size / 1e6:.2f} MB: {costs[1] / costs[0]:.1f} times it"
            )
            print(f"{card.name}: one image alone {alone:.1f} us, {ROWS} rows {ROWS * costs[0]:.1f} us")


def export_paper(path: Path, card: GeneratorCard) -> None:
    """Write the paper's generator with random weights, on which the cost does not depend."""
    generator = build("paper", "non-saturating", "infogan", card.space, card.image, dropout=0).generator.eval()
    exact = round_generator(generator.requires_grad_(False), card.space)
    inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(card.space, 0, 0, 2).inputs().items()}
    onnx.save(make_graph(Exported(exact, card.space).eval(), inputs, ["image"], {}), path)


def measure_cost(path: Path, space: LatentSpace, rows: int) -> float:
    """Microseconds of one core an image: the least of some rounds, because other work may share the machine."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    codes = draw_codes(space, 1, 0, rows).inputs()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(RUNS):
            session.run(["image"], codes)
        rounds.append((time.process_time() - started) / RUNS / rows * 1e6)
    return float(np.min(rounds))


if __name__ == "__main__":
    main()
