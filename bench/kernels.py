"""What 8-bit kernels would cost and give: `python -m bench.kernels`.

The convolutions of the shipped generators are written with whole numbers of 8 bits instead of whole numbers held in
float32: a transposed convolution of stride 2 is a convolution for each of the four phases of a pixel (Shi et al. 2016,
section 3.2) and a depth-to-space. The pixels must stay the same.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from latent import Codes, GeneratorCard, draw_codes

SHIPPED = sorted(path for path in Path("models").glob("*.onnx") if ".recogniser" not in path.name)
ROWS = (1, 16, 256)
IMAGES = 512
ROUNDS = 9

Constants = dict[str, NDArray[np.generic]]
Write = Callable[[list[onnx.NodeProto], Constants, "Make"], list[onnx.NodeProto]]


class Make:
    """Makes nodes, and constants beside them."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"constant {len(self._graph.initializer)}"
        self._graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def chain(self, start: str, end: str, *steps: tuple[str, list[str], dict[str, Any]]) -> list[onnx.NodeProto]:
        """Nodes of which each takes the one before, and further inputs, from `start` to `end`."""
        names = [start, *(f"{end} {step}" for step in range(len(steps) - 1)), end]
        return [
            helper.make_node(kind, [before, *inputs], [after], **attributes)
            for (kind, inputs, attributes), before, after in zip(steps, names[:-1], names[1:], strict=True)
        ]


def main() -> None:
    for path in SHIPPED:
        model = onnx.load(path)
        card = GeneratorCard.from_metadata({entry.key: entry.value for entry in model.metadata_props})
        forms = {
            "float32": model,
            "ConvInteger": rewrite(path, conv_integer),
            "QLinearConv": rewrite(path, qlinear_conv),
        }
        sessions = {name: open_session(form) for name, form in forms.items()}
        codes = draw_codes(card.space, 1, 0, IMAGES)
        drawn = {name: draw(session, codes, 256) for name, session in sessions.items()}
        differ = {name: int((images != drawn["float32"]).any(axis=(1, 2, 3)).sum()) for name, images in drawn.items()}
        for rows in ROWS:
            costs = measure(sessions, codes, rows)
            shown = ", ".join(
                f"{name} {cost:.1f} us ({cost / costs['float32']:.2f}; {differ[name]} images differ)"
                for name, cost in costs.items()
            )
            print(f"{path.stem}, {rows} rows: {shown}")


def rewrite(path: Path, write: Write) -> onnx.ModelProto:
    """The model with each transposed convolution and what follows it written anew."""
    model = onnx.load(path)
    constants = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    nodes, make = list(model.graph.node), Make(model.graph)
    written: list[onnx.NodeProto] = []
    while nodes:
        if nodes[0].op_type != "ConvTranspose":
            written.append(nodes.pop(0))
            continue
        block = [nodes.pop(0) for _ in range(4)]  # ConvTranspose, Mul, Round, Clip
        written += write(block, constants, make)
    del model.graph.node[:]
    model.graph.node.extend(written)
    return model


def conv_integer(block: list[onnx.NodeProto], constants: Constants, make: Make) -> list[onnx.NodeProto]:
    """Sums in int32, and all that follows in float32 as before."""
    convolution, *others = block
    source, weight, bias = convolution.input
    phases = by_phase(constants[weight])
    offset = np.tile(constants[bias], 4)[:, None, None]
    steps = make.chain(
        source,
        convolution.output[0],
        ("Cast", [], {"to": TensorProto.UINT8}),
        ("ConvInteger", [make.constant(phases)], {"pads": [1, 1, 1, 1]}),
        ("Cast", [], {"to": TensorProto.FLOAT}),
        ("Add", [make.constant(offset)], {}),
        ("DepthToSpace", [], {"blocksize": 2}),
    )
    return [*steps, *others]


def qlinear_conv(block: list[onnx.NodeProto], constants: Constants, make: Make) -> list[onnx.NodeProto]:
    """Sum, gain, rounding and clipping in one operation; not for the last layer, whose values have 12 bits."""
    convolution, multiplication, _, clip = block
    if constants[clip.input[2]] != 255:
        return block
    source, weight, bias = convolution.input
    gain = np.tile(constants[multiplication.input[1]].ravel(), 4)
    one, zero = make.constant(np.array(1, np.float32)), make.constant(np.array(0, np.uint8))
    kernel = [
        make.constant(by_phase(constants[weight])),
        make.constant(gain),
        make.constant(np.zeros(len(gain), np.int8)),
    ]
    offset = make.constant(np.tile(constants[bias], 4).astype(np.int32))
    return make.chain(
        source,
        clip.output[0],
        ("Cast", [], {"to": TensorProto.UINT8}),
        ("QLinearConv", [one, zero, *kernel, one, zero, offset], {"pads": [1, 1, 1, 1]}),
        ("DepthToSpace", [], {"blocksize": 2}),
        ("Cast", [], {"to": TensorProto.FLOAT}),
    )


def by_phase(weight: NDArray[np.generic]) -> NDArray[np.int8]:
    """Weights (I, O, 4, 4) of a transposed convolution, stride 2, as those (4 O, I, 3, 3) of one for each phase."""
    inputs, outputs = weight.shape[:2]
    phases = np.zeros((2, 2, outputs, inputs, 3, 3), np.int8)
    for down, across, row, column in np.ndindex(2, 2, 3, 3):
        y, x = 3 - 2 * row + down, 3 - 2 * column + across
        if 0 <= y < 4 and 0 <= x < 4:
            phases[down, across, :, :, row, column] = weight[:, :, y, x].T
    return phases.reshape(4 * outputs, inputs, 3, 3)


def open_session(model: onnx.ModelProto) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # a form leaves some constants of the other unused
    return ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def draw(session: ort.InferenceSession, codes: Codes, rows: int) -> NDArray[np.uint8]:
    starts = range(0, len(codes), rows)
    return np.concatenate([session.run(["image"], codes[start : start + rows].inputs())[0] for start in starts])


def measure(sessions: dict[str, ort.InferenceSession], codes: Codes, rows: int) -> dict[str, float]:
    """Microseconds of one core an image: of each form the least of some rounds, in turn."""
    least = dict.fromkeys(sessions, float("inf"))
    for _ in range(ROUNDS):
        for name, session in sessions.items():
            started = time.process_time()
            draw(session, codes, rows)
            least[name] = min(least[name], (time.process_time() - started) / len(codes) * 1e6)
    return least


if __name__ == "__main__":
    main()
