"""`POST /v2/models/{name}/infer`: tensors of codes in, images out."""

from typing import Annotated, Any, Literal

from pydantic import Field

from latent import LatentSpace
from latent.origin import KEYWORD, Index, Seed
from latent.png import encode_pngs
from latent.release import SHOWN_DIGITS
from service.api.answer import FEW, draw_as, headers_of
from service.api.context import charge, choose_version, context_of
from service.api.fields import seed_or_choose
from service.errors import InvalidField, TooManyImages
from service.http.operation import read_json
from service.http.request import Answer, Request
from service.inference_protocol.tensors import (
    Input,
    Part,
    image_tensor,
    png_tensor,
    read_inputs,
    shapes_of_inputs,
    write_json,
)
from service.planning.plan import Images, Plan
from service.planning.point import Truncation
from service.planning.rows import Rows, plan_rows
from service.registry.catalogue import Served

LENGTH = b"inference-header-content-length"
"""The header with the length of the JSON, if the bytes of tensors stand behind it."""

JSON, BINARY = b"application/json", b"application/octet-stream"


class Parameters(Part):
    """What else decides the images; and whether outputs are bytes that do not say so themselves."""

    seed: Seed | None = None
    index: Index = 0
    n: Annotated[int, Field(ge=1)] | None = None
    truncation: Truncation = 1.0
    binary_data_output: bool = False


class OutputParameters(Part):
    binary_data: bool | None = None


class Output(Part):
    name: Literal["image", "png"]
    parameters: OutputParameters = OutputParameters()


class Inference(Part):
    id: Annotated[str, Field(max_length=1_000)] | None = None
    parameters: Parameters = Parameters()
    inputs: list[Input] = Field(default=[])
    outputs: list[Output] = Field(default=[Output(name="image")], min_length=1)

    def is_binary(self, output: Output) -> bool:
        asked = output.parameters.binary_data
        return self.parameters.binary_data_output if asked is None else asked


async def infer(request: Request, _: None) -> Answer:
    """Draw images of the given noise, classes and styles. The seed draws those that are absent."""
    text, behind = _split(request)
    asked = read_json(Inference, text)
    _check_outputs(asked)
    seed = seed_or_choose(asked.parameters.seed)
    served = choose_version(request, asked_version(request.path), seed)
    plan = _plan(request, asked, behind, served, seed)
    charge(request, plan.count)
    content, timing = await draw_as(
        request, served, plan, lambda images: _encode(plan, images, asked), plan.count <= FEW
    )
    head, tensors = content
    headers = [*headers_of(plan), (b"server-timing", timing)]
    if not tensors:
        return Answer(head, JSON, headers)
    return Answer(head + tensors, BINARY, [*headers, (LENGTH, b"%d" % len(head))])


def asked_version(path: str) -> str:
    """`NAME` or `NAME@DIGITS` of `/v2/models/NAME` or `/v2/models/NAME/versions/DIGITS`, and of what lies below."""
    name, *more = path.split("/")[3:]
    return f"{name}@{more[1]}" if more[:1] == ["versions"] else name


def _split(request: Request) -> tuple[bytes, bytes]:
    """The JSON, and the bytes behind it. Raises InvalidField."""
    length = request.header(LENGTH)
    if length is None:
        return request.body, b""
    if not (length.isascii() and length.isdecimal() and int(length) <= len(request.body)):
        raise InvalidField("Inference-Header-Content-Length", "Send how many bytes of the body are JSON.")
    return request.body[: int(length)], request.body[int(length) :]


def _check_outputs(asked: Inference) -> None:
    """Raises InvalidField."""
    if len({output.name for output in asked.outputs}) < len(asked.outputs):
        raise InvalidField("outputs", "Ask for each output once.")
    for place, output in enumerate(asked.outputs):
        if output.name == "png" and not asked.is_binary(output):
            raise InvalidField(f"outputs.{place}.parameters.binary_data", "Send true: JSON cannot hold a file.")


def _plan(request: Request, asked: Inference, behind: bytes, served: Served, seed: int) -> Plan:
    """Raises InvalidField, TooManyImages, QueueFull and the errors of `plan_rows`."""
    rows, count = _rows(asked, behind, served.version.card.space)
    most = context_of(request).settings.max_images
    if count > most:
        raise TooManyImages("inputs" if asked.inputs else "parameters.n", f"Ask for at most {most} images at a time.")
    served.batcher.require_room(count)
    given = asked.parameters
    return plan_rows(rows, served.version, seed, given.index, count, given.truncation)


def _rows(asked: Inference, behind: bytes, space: LatentSpace) -> tuple[Rows, int]:
    """The tensors, and how many images they are for. Raises InvalidField."""
    arrays = read_inputs(asked.inputs, behind, shapes_of_inputs(space))
    lengths, count = {len(array) for array in arrays.values()}, asked.parameters.n
    if len(lengths) > 1 or (lengths and count is not None and count not in lengths):
        field = "inputs" if len(lengths) > 1 else "parameters.n"
        raise InvalidField(field, "All tensors, and 'n', must be for one number of images.")
    return Rows(**arrays), lengths.pop() if lengths else count or 1


def _encode(plan: Plan, images: Images, asked: Inference) -> tuple[bytes, bytes]:
    """The JSON, and the bytes behind it."""
    outputs: list[dict[str, Any]] = []
    contents = []
    for output in asked.outputs:
        if output.name == "image":
            members, content = image_tensor(images, asked.is_binary(output))
        else:
            members, content = png_tensor(encode_pngs(images, KEYWORD, plan.texts))
        outputs.append(members)
        contents.append(content)
    head: dict[str, Any] = {"model_name": plan.version.name, "model_version": plan.version.digest[:SHOWN_DIGITS]}
    if asked.id is not None:
        head["id"] = asked.id
    parameters = {"seed": plan.seed, "index": plan.index}
    return write_json(head | {"parameters": parameters, "outputs": outputs}), b"".join(contents)
