"""However and wherever an image is drawn, it has the same pixels."""

from pathlib import Path

import onnxruntime as ort
import pytest

from tests.exact.drawing import (
    BATCHES,
    REFERENCE_IMAGES,
    Case,
    count_different,
    draw,
    draw_by_reference,
    draw_in_webassembly,
)

CUDA = "CUDAExecutionProvider"

batches = pytest.mark.parametrize("batch", BATCHES)
threads = pytest.mark.parametrize("threads", [1, 2])
optimised = pytest.mark.parametrize("optimised", [True, False], ids=["optimised", "as it is"])


@batches
@threads
@optimised
def test_shipped_generators_in_any_batch(shipped: Case, batch: int, threads: int, *, optimised: bool) -> None:
    assert count_different(shipped, draw(shipped, batch=batch, threads=threads, optimised=optimised)) == 0


@batches
@threads
@optimised
def test_every_network_in_any_batch(small: Case, batch: int, threads: int, *, optimised: bool) -> None:
    assert count_different(small, draw(small, batch=batch, threads=threads, optimised=optimised)) == 0


def test_shipped_generators_by_the_reference_evaluator(shipped: Case) -> None:
    assert count_different(shipped, draw_by_reference(shipped, REFERENCE_IMAGES)) == 0


def test_every_network_by_the_reference_evaluator(small: Case) -> None:
    assert count_different(small, draw_by_reference(small, 20)) == 0


@pytest.mark.parametrize("batch", [1, 256])
@pytest.mark.usefixtures("web")
def test_shipped_generators_in_webassembly(shipped: Case, tmp_path: Path, batch: int) -> None:
    assert count_different(shipped, draw_in_webassembly(shipped, tmp_path, batch)) == 0


@pytest.mark.usefixtures("web")
def test_every_network_in_webassembly(small: Case, tmp_path: Path) -> None:
    assert count_different(small, draw_in_webassembly(small, tmp_path, 16)) == 0


@pytest.mark.skipif(CUDA not in ort.get_available_providers(), reason="this ONNX Runtime has no CUDA")
@pytest.mark.parametrize("batch", [1, 256])
def test_shipped_generators_by_cuda(shipped: Case, batch: int) -> None:
    assert count_different(shipped, draw(shipped, batch=batch, provider=CUDA)) == 0
