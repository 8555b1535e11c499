"""Generators whose files a test may change, and one that is not the same alone and in a batch."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from service.registry import Registry
from service.runtime import Runtime
from tests.conftest import small_card, write_recogniser, write_small, write_version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`plain` without codes, and the first version of `small` with its recogniser."""
    write_small(tmp_path, "plain", coded=False)
    write_recogniser(write_version(tmp_path, 0), small_card())
    return tmp_path


async def looked_twice(registry: Registry) -> None:
    await registry.refresh()
    await registry.refresh()


def digests(registry: Registry) -> dict[str, str]:
    return {name: served.runtime.digest for name, served in registry.now.models.items()}


def digest_of(path: Path) -> str:
    return Runtime(path, threads=1).digest


@pytest.fixture(scope="session")
def sensitive(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """`small`, made to depend on how many rows its batch has, as the last bits of some kernels do."""
    model = onnx.load(models_dir / "small.onnx")
    nodes = {node.output[0]: node for node in model.graph.node}
    model.graph.initializer.append(numpy_helper.from_array(np.array([0]), "first"))
    rows = [
        helper.make_node("Shape", ["codes"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "first"], ["rows"]),
        helper.make_node("Cast", ["rows"], ["offset"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["grey", "offset"], ["brighter"]),
    ]
    nodes["rounded"].input[0] = "brighter"
    place = list(model.graph.node).index(nodes["rounded"])
    for node in reversed(rows):
        model.graph.node.insert(place, node)
    path = tmp_path_factory.mktemp("sensitive") / "sensitive.onnx"
    onnx.save(model, path)
    return Runtime(path, threads=1)
