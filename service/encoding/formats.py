"""The formats of answers with images. All are deterministic: equal images give equal bytes.

A new format is a row of FORMATS and a function.
"""

import io
import json
from binascii import b2a_base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from latent.archives import Zip
from latent.origin import KEYWORD
from latent.png import encode_png, encode_pngs
from latent.sheet import enlarge, tile
from service.encoding.animation import FPS, Play, encode_apng, encode_gif, encode_webp
from service.http.problems import SCHEMA as PROBLEM
from service.planning.plan import Images, Plan
from service.planning.provenance import version_members


@dataclass(slots=True)
class Rendering:
    """How images become bytes. Together with the origin of the images it decides every byte."""

    format: str
    """A key of FORMATS."""
    scale: int = 1
    fps: int = FPS
    back: bool = False
    """Whether an animation plays there and back."""


Encode = Callable[[Plan, Images, Rendering, str], bytes]
"""From all images (N, H, W, channels) of a plan, and the text that the file may record, to the answer's bytes."""


@dataclass(frozen=True)
class Format:
    """One row of FORMATS."""

    media_type: str
    meaning: str
    """For the API's documentation."""
    encode: Encode
    plays: bool = False
    """Whether the format is an animation."""
    scales: bool = True
    """Whether pixels can be enlarged."""
    schema: dict[str, Any] = field(default_factory=dict)
    """JSON Schema of the answer, for OpenAPI."""

    @cached_property
    def header(self) -> bytes:
        """The value of `Content-Type`."""
        return self.media_type.encode("ascii")


def encode(plan: Plan, images: Images, rendering: Rendering, text: str) -> bytes:
    """The answer's bytes, from all images (N, H, W, channels) of the plan and their text."""
    return FORMATS[rendering.format].encode(plan, images, rendering, text)


def text_of(plan: Plan, rendering: Rendering) -> str:
    """What the file records: of one image the image's own origin."""
    if rendering.format == "png" and plan.count == 1:
        return plan.texts[0]
    return plan.sheet_text()


def _encode_sheet(plan: Plan, images: Images, rendering: Rendering, text: str) -> bytes:
    sheet = images[0] if len(images) == 1 else tile(images, plan.columns)
    return encode_png(enlarge(sheet, rendering.scale), KEYWORD, text)


def _encode_npy(_: Plan, images: Images, __: Rendering, ___: str) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    return buffer.getvalue()


def _encode_zip(plan: Plan, images: Images, rendering: Rendering, _: str) -> bytes:
    """`0000.png`, `0001.png` and so on, and `manifest.json` about each."""
    archive, parts, entries = Zip(), [], _failed(plan)
    for place, record, png in _drawn(plan, images, rendering.scale):
        name = f"{place:04d}.png"
        parts.append(archive.member(name, png))
        entries[place] = f'{record[:-1]},"file":"{name}"}}'
    listed = ",\n".join([entries[place] for place in range(plan.count)])
    manifest = f'{{{_head(plan)},"images":[\n{listed}\n]}}\n'
    return b"".join((*parts, archive.member("manifest.json", manifest.encode("ascii")), archive.end()))


def _encode_json(plan: Plan, images: Images, rendering: Rendering, _: str) -> bytes:
    entries = _failed(plan)
    for place, record, png in _drawn(plan, images, rendering.scale):
        entries[place] = f'{record[:-1]},"png":"{b2a_base64(png, newline=False).decode("ascii")}"}}'
    listed = ",".join([entries[place] for place in range(plan.count)])
    return f'{{{_head(plan)},"images":[{listed}]}}'.encode("ascii")


def _head(plan: Plan) -> str:
    head = version_members(plan.version)
    return head if plan.columns is None else f'{head},"columns":{plan.columns}'


def _drawn(plan: Plan, images: Images, scale: int) -> Iterable[tuple[int, str, bytes]]:
    """Of each image that was drawn its place, its codes as JSON, and its PNG."""
    drawn = images[plan.places] if plan.failed else images
    return zip(plan.places, plan.records, encode_pngs(enlarge(drawn, scale), KEYWORD, plan.texts), strict=True)


def _failed(plan: Plan) -> dict[int, str]:
    """By its place, the problem of each image that could not be drawn."""
    return {place: json.dumps({"problem": error.problem()}) for place, error in plan.failed.items()}


def _encode_frames(play: Play) -> Encode:
    def encode_frames(_: Plan, images: Images, rendering: Rendering, text: str) -> bytes:
        frames = [enlarge(image, rendering.scale) for image in images]
        frames += frames[-2:0:-1] if rendering.back else []
        return play(frames, rendering.fps, text)

    return encode_frames


_WEIGHTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}

_IMAGE: dict[str, Any] = {
    "title": "Image",
    "type": "object",
    "required": ["seed", "index", "class", "styles", "png"],
    "additionalProperties": False,
    "properties": {
        "seed": {"type": "integer"},
        "index": {"type": "integer"},
        "class": _WEIGHTS | {"description": "The weight of each class, if it is not 0."},
        "styles": _WEIGHTS,
        "truncation": {"type": "number"},
        "noise": {"type": "array", "items": {"type": "number"}},
        "png": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
    },
}

_FAILED: dict[str, Any] = {
    "title": "Failed",
    "type": "object",
    "required": ["problem"],
    "additionalProperties": False,
    "properties": {"problem": PROBLEM},
}

_DRAWN: dict[str, Any] = {
    "title": "Drawn",
    "type": "object",
    "required": ["model", "digest", "images"],
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string"},
        "digest": {"type": "string", "description": "SHA-256 of the model's file."},
        "columns": {"type": "integer", "description": "Images in a row of a grid."},
        "images": {"type": "array", "items": {"oneOf": [_IMAGE, _FAILED]}},
    },
}

FORMATS: dict[str, Format] = {
    "png": Format("image/png", "the image, or a sheet of several images", _encode_sheet),
    "sheet": Format("image/png", "a sheet", _encode_sheet),
    "zip": Format("application/zip", "a PNG for each image, and `manifest.json`", _encode_zip),
    "json": Format("application/json", "PNGs in base64", _encode_json, schema=_DRAWN),
    "npy": Format("application/x-npy", "NumPy's format, uint8 (N, height, width, channels)", _encode_npy, scales=False),
    "apng": Format("image/apng", "an animated PNG", _encode_frames(encode_apng), plays=True),
    "webp": Format("image/webp", "an animated WebP, lossless", _encode_frames(encode_webp), plays=True),
    "gif": Format("image/gif", "an animated GIF, of 256 colours", _encode_frames(encode_gif), plays=True),
}
"""By the names that requests use. Where `Accept` likes several equally, the first counts."""
