"""The formats of answers with images. All are deterministic: equal images give equal bytes.

A new format is a row of FORMATS and a function.
"""

import base64
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latent.origin import Origin
from latent.sheet import enlarge, tile
from service.encoding.animation import FPS, Play, encode_apng, encode_gif, encode_webp
from service.encoding.png import encode_png
from service.http.problems import SCHEMA as PROBLEM
from service.planning.plan import Images, Plan


@dataclass(frozen=True)
class Rendering:
    """How images become bytes. Together with the origin of the images it decides every byte."""

    format: str
    """A key of FORMATS."""
    scale: int = 1
    fps: int = FPS
    back: bool = False
    """Whether an animation plays there and back."""


Encode = Callable[[Plan, Images, Rendering], bytes]
"""From all images (N, H, W, channels) of a plan to the answer's bytes."""


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


def encode(plan: Plan, images: Images, rendering: Rendering) -> bytes:
    """The answer's bytes, from all images (N, H, W, channels) of the plan."""
    return FORMATS[rendering.format].encode(plan, images, rendering)


def origin_of(plan: Plan, rendering: Rendering) -> Origin:
    """What the file records: of one image the image's own origin."""
    return plan.origins[0] if rendering.format == "png" and len(plan) == 1 else plan.sheet_origin


def _encode_sheet(plan: Plan, images: Images, rendering: Rendering) -> bytes:
    return encode_png(enlarge(tile(images, plan.columns), rendering.scale), origin_of(plan, rendering))


def _encode_npy(_: Plan, images: Images, __: Rendering) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    return buffer.getvalue()


def _encode_zip(plan: Plan, images: Images, rendering: Rendering) -> bytes:
    """`0000.png`, `0001.png` and so on, and `manifest.json` about each."""
    buffer, entries = io.BytesIO(), []
    # A ZipInfo without a date has the format's first date: the bytes do not depend on the clock.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for place, (entry, content) in enumerate(_entries(plan, images, rendering.scale)):
            if content is not None:
                entry["file"] = f"{place:04d}.png"
                archive.writestr(zipfile.ZipInfo(entry["file"]), content)
            entries.append(entry)
        manifest = json.dumps(_head(plan) | {"images": entries}, indent=1)
        archive.writestr(zipfile.ZipInfo("manifest.json"), manifest + "\n")
    return buffer.getvalue()


def _encode_json(plan: Plan, images: Images, rendering: Rendering) -> bytes:
    entries = []
    for entry, content in _entries(plan, images, rendering.scale):
        if content is not None:
            entry["png"] = base64.b64encode(content).decode()
        entries.append(entry)
    return json.dumps(_head(plan) | {"images": entries}).encode()


def _head(plan: Plan) -> dict[str, Any]:
    head: dict[str, Any] = {"model": plan.version.name, "digest": plan.version.digest}
    return head if plan.columns is None else head | {"columns": plan.columns}


def _entries(plan: Plan, images: Images, scale: int) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """Of each image its codes and its PNG; of a failed image its problem and None."""
    origins = iter(plan.origins)
    for place, image in enumerate(images):
        if place in plan.failed:
            yield {"problem": plan.failed[place].problem()}, None
        else:
            origin = next(origins)
            codes = origin.model_dump(exclude={"model", "digest"}, exclude_none=True)
            yield codes, encode_png(enlarge(image, scale), origin)


def _encode_frames(play: Play) -> Encode:
    def encode_frames(plan: Plan, images: Images, rendering: Rendering) -> bytes:
        frames = [enlarge(image, rendering.scale) for image in images]
        frames += frames[-2:0:-1] if rendering.back else []
        return play(frames, rendering.fps, plan.sheet_origin)

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
