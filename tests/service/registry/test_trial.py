"""Files that must not be opened where requests are answered, and what the trial says of them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from latent import InvalidCard
from service.errors import InvalidModel
from service.registry.folder import MOST_BYTES, marks_of, open_file
from service.registry.trial import trying

MEMORY = 256 * 2**20
try_files = trying(MEMORY, seconds=3)


def hang(path: Path) -> None:
    """A loop without an end, before the image."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["still"]),
            helper.make_node("Identity", ["held"], ["kept"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("held", TensorProto.UINT8, None),
        ],
        [
            helper.make_tensor_value_info("still", TensorProto.BOOL, []),
            helper.make_tensor_value_info("kept", TensorProto.UINT8, None),
        ],
    )
    model = onnx.load(path)
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "for ever"))
    model.graph.node[-1].output[0] = "before"
    model.graph.node.append(helper.make_node("Loop", ["", "for ever", "before"], ["image"], body=body))
    onnx.save(model, path)


def swell(path: Path) -> None:
    """A gigabyte for each image."""
    model = onnx.load(path)
    last = model.graph.node[-1]
    last.output[0] = "before"
    shape = np.array([1, 2**30], np.int64)
    model.graph.initializer.extend(
        [numpy_helper.from_array(shape, "large"), numpy_helper.from_array(np.array([0, 0], np.int64), "none")]
    )
    zero = helper.make_tensor("value", TensorProto.UINT8, [1], [0])
    model.graph.node.extend(
        [
            helper.make_node("ConstantOfShape", ["large"], ["zeros"], value=zero),
            helper.make_node("ReduceMax", ["zeros"], ["zero"], keepdims=0),
            helper.make_node("Add", ["before", "zero"], ["image"]),
        ]
    )
    onnx.save(model, path)


def draw_too_few(path: Path) -> None:
    """One image, however many are asked for."""
    model = onnx.load(path)
    model.graph.node[-1].output[0] = "before"
    model.graph.initializer.extend(
        numpy_helper.from_array(np.array([value], np.int64), name) for name, value in (("from", 0), ("to", 1))
    )
    model.graph.node.append(helper.make_node("Slice", ["before", "from", "to"], ["image"]))
    onnx.save(model, path)


def put_outside(path: Path) -> None:
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="weights", size_threshold=0)


def link_out(path: Path) -> None:
    away = path.parent.parent / "away.onnx"
    shutil.move(path, away)
    path.symlink_to(away)


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def inflate(path: Path) -> None:
    os.truncate(path, MOST_BYTES + 1)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


SPOILT: list[tuple[Callable[[Path], None], str]] = [
    (hang, "more than 3 s"),
    (swell, "more than 256 MiB of memory"),
    (draw_too_few, "cannot draw"),
    (put_outside, "another file"),
    (link_out, "a link out of the folder"),
    (make_pipe, "no regular file"),
    (make_folder, "no regular file"),
    (inflate, "at most 268435456"),
    (cut, "not an ONNX file"),
]


@pytest.mark.parametrize(("spoil", "reason"), SPOILT)
def test_a_bad_file_is_refused_with_the_reason_beside_good_ones(
    folder: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    small, plain = folder / "small.onnx", folder / "plain.onnx"
    spoil(plain)
    faults = try_files([plain, small])
    assert faults.keys() == {plain}
    assert faults[plain].startswith(str(plain))
    assert reason in faults[plain]


def test_files_that_are_good_have_no_faults(folder: Path) -> None:
    assert try_files([folder / "small.onnx", folder / "plain.onnx"]) == {}


def test_a_link_inside_the_folder_is_followed(folder: Path) -> None:
    """Kubernetes mounts a folder of links, whose target it swaps."""
    (folder / "..data").mkdir()
    for name in ("small.onnx", "small.recogniser.onnx"):
        shutil.move(folder / name, folder / "..data" / name)
        (folder / name).symlink_to(Path("..data") / name)
    assert try_files([folder / "small.onnx"]) == {}


def test_what_needs_no_trial_is_refused_without_it_too(folder: Path) -> None:
    path = folder / "small.onnx"
    put_outside(path)
    with pytest.raises((InvalidModel, InvalidCard), match="another file"):
        open_file(path, marks_of(path), threads=1)
