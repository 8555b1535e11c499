"""Tensors of the protocol: as JSON, or as bytes behind the JSON, little-endian and row by row."""

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from latent import ImageShape, LatentSpace
from service.errors import InvalidField, within

DTYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "INT64": np.dtype("<i8"), "INT32": np.dtype("<i4")}
"""By the protocol's names, of the tensors that come in."""

KINDS = {"f": "iuf", "i": "iu"}
"""By the kind of a dtype, the kinds of JSON's numbers that it takes."""

ANY = -1
"""The length of an axis that the protocol leaves open: one for each image."""

Shapes = Mapping[str, tuple[tuple[str, ...], list[int]]]
"""By the name of a tensor, the datatypes that it may have, the usual one first, and its shape."""


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Sized(Part):
    binary_data_size: Annotated[int, Field(ge=0)] | None = None


class Input(Part):
    """A tensor that comes in."""

    name: str
    shape: list[Annotated[int, Field(ge=0)]]
    datatype: str
    parameters: Sized = Sized()
    data: list[Any] | None = None


def shapes_of_inputs(space: LatentSpace) -> Shapes:
    """The tensors that a generator takes. Each may be left out."""
    every: Shapes = {
        "noise": (("FP32",), [ANY, space.noise_size]),
        "classes": (("INT64", "INT32"), [ANY] if space.classes else [ANY, 0]),
        "styles": (("FP32",), [ANY, len(space.styles)]),
    }
    return {name: one for name, one in every.items() if 0 not in one[1]}


def shapes_of_outputs(image: ImageShape) -> Shapes:
    return {"image": (("UINT8",), [ANY, image.height, image.width, image.channels]), "png": (("BYTES",), [ANY])}


def read_inputs(inputs: Sequence[Input], behind: bytes, shapes: Shapes) -> dict[str, NDArray[Any]]:
    """The arrays by name; `behind` are the bytes behind the JSON. Raises InvalidField."""
    arrays: dict[str, NDArray[Any]] = {}
    start = 0
    for place, one in enumerate(inputs):
        with within(f"inputs.{place}"):
            if one.name in arrays:
                raise InvalidField("name", "Send each tensor once.")
            _check(one, shapes)
            size = one.parameters.binary_data_size
            arrays[one.name] = _from_json(one) if size is None else _from_bytes(one, behind[start : start + size], size)
            start += size or 0
    if start != len(behind):
        raise InvalidField("body", f"Behind the JSON are {len(behind)} bytes, and the inputs name {start}.")
    return arrays


def _check(one: Input, shapes: Shapes) -> None:
    """Raises InvalidField."""
    if one.name not in shapes:
        raise InvalidField("name", f"The model takes: {', '.join(shapes)}.")
    datatypes, shape = shapes[one.name]
    if one.datatype not in datatypes:
        raise InvalidField("datatype", f"Send {' or '.join(datatypes)}.")
    if len(one.shape) != len(shape) or one.shape[1:] != shape[1:] or not one.shape[0]:
        raise InvalidField("shape", f"Send {['n', *shape[1:]]}, for n images.".replace("'", ""))


def _from_bytes(one: Input, content: bytes, size: int) -> NDArray[Any]:
    """Raises InvalidField."""
    dtype = DTYPES[one.datatype]
    needed = math.prod(one.shape) * dtype.itemsize
    if one.data is not None:
        raise InvalidField("data", "Send numbers here or bytes behind the JSON, not both.")
    if not size == len(content) == needed:
        detail = f"Send {needed} bytes behind the JSON, and the JSON's length in Inference-Header-Content-Length."
        raise InvalidField("parameters.binary_data_size", detail)
    return np.frombuffer(content, dtype).reshape(one.shape)


def _from_json(one: Input) -> NDArray[Any]:
    """Raises InvalidField."""
    if one.data is None:
        raise InvalidField("data", "Send the numbers here, or bytes behind the JSON with 'binary_data_size'.")
    dtype = DTYPES[one.datatype]
    try:
        array = np.array(one.data)
    except (ValueError, OverflowError):  # rows of different lengths
        array = np.array("")
    if array.dtype.kind not in KINDS[dtype.kind]:
        raise InvalidField("data", f"Send numbers as {one.datatype} has them, in rows of one length.")
    if array.size != math.prod(one.shape):
        raise InvalidField("data", f"Send {math.prod(one.shape)} numbers, as the shape says.")
    with np.errstate(over="ignore"):  # infinity is in no range
        numbers: NDArray[Any] = array.astype(dtype).reshape(one.shape)
    return numbers


def image_tensor(images: NDArray[np.uint8], binary: bool) -> tuple[dict[str, Any], bytes]:
    """The output `image` of images (N, H, W, channels): its members, and its bytes behind the JSON."""
    members = {"name": "image", "datatype": "UINT8", "shape": images.shape}
    if binary:
        return members | {"parameters": {"binary_data_size": images.size}}, images.tobytes()
    return members | {"data": images.reshape(-1)}, b""


def png_tensor(pngs: Sequence[bytes]) -> tuple[dict[str, Any], bytes]:
    """The output `png`: of each file its length in four bytes, and the file."""
    content = b"".join([len(png).to_bytes(4, "little") + png for png in pngs])
    parameters = {"binary_data_size": len(content)}
    return {"name": "png", "datatype": "BYTES", "shape": [len(pngs)], "parameters": parameters}, content


def write_json(members: Mapping[str, Any]) -> bytes:
    return orjson.dumps(members, option=orjson.OPT_SERIALIZE_NUMPY)
