"""Generators' files of older make, whose arithmetic is not exact: what an export needs of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import numpy_helper
from pydantic import BaseModel, ValidationError
from torch import Tensor, nn

from latent import Data, ImageShape, LatentSpace, Training
from latent.card import CARD_KEY
from training.errors import InvalidModel
from training.export.trained import Trained
from training.networks.gan import Generator

END = "Tanh"
"""What follows it is the arithmetic of pixels, which all generators share."""


class OlderCard(BaseModel):
    """What the cards of older and of newer make both have, as far as it outlives an export."""

    data: Data
    image: ImageShape
    space: LatentSpace
    training: Training


def read_older(path: Path) -> Trained:
    """Read the generator, its names and its training from a file. Raises InvalidModel."""
    try:
        model = onnx.load(path)
        card = OlderCard.model_validate_json({entry.key: entry.value for entry in model.metadata_props}[CARD_KEY])
    except (ValidationError, KeyError) as error:
        raise InvalidModel(f"{path} has no card of a generator; name the folder of a run, or an older file") from error
    except Exception as error:  # onnx raises anything for a file that is not of its kind
        raise InvalidModel(f"{path} is not an ONNX file") from error
    layers = nn.Sequential(*_layers(path, model.graph))
    generator = Generator(layers, card.image).eval().requires_grad_(False)
    return Trained(generator, card.space, card.data, card.training)


def _layers(path: Path, graph: onnx.GraphProto) -> Iterator[nn.Module]:
    """The layers from the codes to the argument of tanh. Raises InvalidModel for a node of another kind."""
    constants = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    nodes = list(graph.node)
    kinds = [node.op_type for node in nodes]
    if "Gather" in "".join(kinds):
        raise InvalidModel(f"{path}: its arithmetic is exact already; there is nothing to do")
    if END not in kinds:
        raise InvalidModel(f"{path}: this graph is not an older generator's; export the folder of its run instead")
    for place, node in enumerate(nodes[: kinds.index(END)]):
        attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type in ("Gemm", "ConvTranspose"):
            weight, bias = (constants[name] for name in node.input[1:])
            yield _linear(weight, bias) if node.op_type == "Gemm" else _convolution(weight, bias, attributes)
        elif node.op_type in ("Relu", "LeakyRelu"):
            yield nn.LeakyReLU(attributes.get("alpha", 0.01)) if node.op_type == "LeakyRelu" else nn.ReLU()
        elif node.op_type == "Reshape" and kinds[place + 1] != END:
            yield nn.Unflatten(1, tuple(constants[node.input[1]].tolist()[1:]))
        elif node.op_type not in ("Concat", "Reshape"):
            raise InvalidModel(
                f"{path}: the node {node.op_type} has no exact form; export the folder of its run instead"
            )


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0])
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear


def _convolution(weight: Tensor, bias: Tensor, attributes: dict[str, Any]) -> nn.ConvTranspose2d:
    inputs, outputs, height, width = weight.shape
    (down, across), (top, left, *_) = attributes["strides"], attributes["pads"]
    linear = nn.ConvTranspose2d(inputs, outputs, (height, width), (down, across), (top, left))
    linear.load_state_dict({"weight": weight, "bias": bias})
    return linear
