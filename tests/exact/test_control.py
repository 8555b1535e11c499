"""The comparison can fail: the same generators without the rounding between their layers do differ."""

from pathlib import Path

import onnx
import pytest

from tests.exact.drawing import Case, count_different, draw, draw_in_webassembly


def without_rounding(case: Case, path: Path) -> Case:
    """The same generator, of which only the last rounding is left: that of the value whose grey level is looked up."""
    model = onnx.load(case.path)
    roundings = [node for node in model.graph.node if node.op_type == "Round"]
    for node in roundings[:-1]:
        node.op_type = "Identity"
    onnx.save(model, path)
    return Case(path, case.space, case.count)


@pytest.mark.usefixtures("web")
def test_without_rounding_some_images_differ(shipped: Case, tmp_path: Path) -> None:
    rough = without_rounding(shipped, tmp_path / "rough.onnx")
    alone = count_different(rough, draw(rough, batch=1))
    elsewhere = count_different(rough, draw_in_webassembly(rough, tmp_path, 256))
    print(f"{shipped.path.stem}: {alone} of {rough.count} images differ alone, {elsewhere} in WebAssembly")
    assert elsewhere > 0
