"""A torch module as one ONNX graph that tells nothing of the machine it was made on."""

import warnings
from collections.abc import Mapping
from typing import Any

import onnx
import torch
from torch import Tensor, nn

OPSET = 20


def make_graph(
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: list[str],
    metadata: Mapping[str, str],
) -> onnx.ModelProto:
    """Of any number of rows; `inputs` are examples of two rows, given to the module in their order."""
    rows = torch.export.Dim("batch")
    with warnings.catch_warnings():
        # All inputs have as many rows, which the exporter finds worth a warning.
        warnings.filterwarnings("ignore", "# The axis name: batch will not be used")
        program = torch.onnx.export(
            module,
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=outputs,
            dynamic_shapes={"inputs": tuple({0: rows} for _ in inputs)},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    made = program.model_proto
    strip_origins(made)
    for key, value in metadata.items():
        made.metadata_props.add(key=key, value=value)
    onnx.checker.check_model(made)
    return made


def strip_origins(made: onnx.ModelProto) -> None:
    """The exporter notes the source path of each node, which is nobody's business but this machine's."""
    for part in _parts(made):
        del part.metadata_props[:]
        part.doc_string = ""


def _parts(made: onnx.ModelProto) -> list[Any]:
    inner = made.graph
    return [made, inner, *inner.node, *inner.input, *inner.output, *inner.value_info, *inner.initializer]
