"""What an image costs by the shipped InfoGAN and by the generator of InfoGAN's paper: `python -m bench.generators`."""

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
from training.export.graph import graph
from training.export.model import Model
from training.networks.build import build

SHIPPED = (Path("models/mnist-infogan.onnx"), Path("models/fashion-infogan.onnx"))
ROWS = 16
"""of an inference: the service's"""
RUNS = 200
ROUNDS = 7


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for path in SHIPPED:
            card = Model(path).card
            paper = Path(folder) / f"paper-{path.name}"
            export_paper(paper, card)
            costs = [cost(file, card.space) for file in (path, paper)]
            size = path.stat().st_size + recogniser_path(path).stat().st_size
            print(
                f"{card.name}: {costs[0]:.1f} us of CPU an image, {size / 1e6:.2f} MB with its recogniser; the paper's "
                f"generator {costs[1]:.1f} us, {paper.stat().st_size / 1e6:.2f} MB: {costs[1] / costs[0]:.1f} times it"
            )


def export_paper(path: Path, card: GeneratorCard) -> None:
    """With random weights: what an image costs does not depend on them."""
    generator = build("paper", "non-saturating", "infogan", card.space, card.image, dropout=0).generator
    inputs = {name: torch.from_numpy(codes) for name, codes in draw_codes(card.space, 0, 0, 2).inputs().items()}
    onnx.save(graph(Exported(generator, card.space).eval(), inputs, ["image"], {}), path)


def cost(path: Path, space: LatentSpace) -> float:
    """Microseconds of one core an image: the least of some rounds, since others use the machine too."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    codes = draw_codes(space, 1, 0, ROWS).inputs()
    rounds = []
    for _ in range(ROUNDS):
        started = time.process_time()
        for _ in range(RUNS):
            session.run(["image"], codes)
        rounds.append((time.process_time() - started) / RUNS / ROWS * 1e6)
    return float(np.min(rounds))


if __name__ == "__main__":
    main()
