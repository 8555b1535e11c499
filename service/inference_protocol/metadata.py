"""What the protocol tells of the server and of its models."""

import json
from typing import Any

from latent import VERSION
from service.api.context import context_of
from service.http.request import Answer, Request
from service.inference_protocol.inference import JSON, asked_version
from service.inference_protocol.tensors import Shapes, shapes_of_inputs, shapes_of_outputs
from service.registry.catalogue import Served


async def describe_server(_: Request, __: None) -> Answer:
    return _answer({"name": "faussaire", "version": VERSION, "extensions": ["binary_tensor_data"]})


async def tell_live(_: Request, __: None) -> Answer:
    return _answer({"live": True})


async def tell_ready(_: Request, __: None) -> Answer:
    """The server listens once the models are open: who answers is ready."""
    return _answer({"ready": True})


async def tell_model_ready(request: Request, _: None) -> Answer:
    """Raises UnknownModel and OtherVersion."""
    return _answer({"name": _find(request).version.name, "ready": True})


async def describe_model(request: Request, _: object) -> Answer:
    """Raises UnknownModel and OtherVersion."""
    served = _find(request)
    card = served.version.card
    versions = context_of(request).catalogue.models[card.name].by_digest.values()
    return _answer(
        {
            "name": card.name,
            "versions": [one.shown_digest for one in versions],
            "platform": "onnx_onnxv1",
            "inputs": _tensors(shapes_of_inputs(card.space)),
            "outputs": _tensors(shapes_of_outputs(card.image)),
        }
    )


def _find(request: Request) -> Served:
    served = context_of(request).catalogue.find(asked_version(request.path))
    request.observation.model = served.version.name
    return served


def _tensors(shapes: Shapes) -> list[dict[str, Any]]:
    return [{"name": name, "datatype": types[0], "shape": shape} for name, (types, shape) in shapes.items()]


def _answer(members: dict[str, Any]) -> Answer:
    return Answer(json.dumps(members).encode("ascii"), JSON)
