"""One set of images drawn in many ways: by other batches, threads, optimisations, runtimes and devices."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from latent import Codes, LatentSpace, draw_codes
from tests.conftest import program

Images = NDArray[np.uint8]

BATCHES = (1, 7, 16, 256)
WEB = Path(__file__).parent / "web"

REFERENCE_IMAGES = int(os.environ.get("FAUSSAIRE_REFERENCE_IMAGES", "64"))
"""The reference evaluator needs a tenth of a second for an image."""


@dataclass(frozen=True)
class Case:
    """A generator's file, and how many of its images are compared."""

    path: Path
    space: LatentSpace
    count: int

    @cached_property
    def codes(self) -> Codes:
        return draw_codes(self.space, 0, 0, self.count)

    @cached_property
    def expected(self) -> Images:
        """What ONNX Runtime draws in batches of 256, with one thread and all optimisations."""
        return draw(self, batch=256)


def draw(
    case: Case, *, batch: int, threads: int = 1, optimised: bool = True, provider: str = "CPUExecutionProvider"
) -> Images:
    """Draw all images of a case with ONNX Runtime."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimised else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(case.path, options, providers=[provider])
    return np.concatenate([session.run(["image"], part.inputs())[0] for part in _batches(case.codes, batch)])


def draw_by_reference(case: Case, count: int) -> Images:
    """Draw the first images with ONNX's own evaluator, which is NumPy."""
    (images,) = list(ReferenceEvaluator(str(case.path)).run(["image"], case.codes[:count].inputs()))
    return np.asarray(images)


def draw_in_webassembly(case: Case, folder: Path, batch: int) -> Images:
    """Draw all images of a case with ONNX Runtime Web under Node, by way of files in a folder."""
    inputs = []
    for name, numbers in case.codes.inputs().items():
        numbers.tofile(folder / name)
        inputs.append(f"{name}={folder / name}")
    output = folder / "images"
    command: list[str | Path] = [program("node"), WEB / "draw.mjs", case.path]
    command += [str(case.count), str(batch), output, *inputs]
    subprocess.run(command, check=True)
    return np.fromfile(output, np.uint8).reshape(case.expected.shape)


def count_different(case: Case, images: Images) -> int:
    """How many images, the first of a case, have another pixel anywhere."""
    return int((images != case.expected[: len(images)]).any(axis=(1, 2, 3)).sum())


def _batches(codes: Codes, size: int) -> Iterator[Codes]:
    for start in range(0, len(codes), size):
        yield codes[start : start + size]
