"""The bytes of each format that images are answered in. All are deterministic: the same images, the same bytes."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from service.api.fields import Still
from service.encoding.animation import FPS, Animation, animated
from service.encoding.png import png, scaled, sheet
from service.http import problems
from service.planning.plan import Images, Plan
from service.planning.provenance import Origin

Format = Still | Animation

MEDIA_TYPE: dict[Format, str] = {
    "png": "image/png",
    "sheet": "image/png",
    "zip": "application/zip",
    "json": "application/json",
    "npy": "application/x-npy",
    "apng": "image/apng",
    "webp": "image/webp",
    "gif": "image/gif",
}

WEIGHTS: dict[str, Any] = {"type": "object", "additionalProperties": {"type": "number"}}

SCHEMA: dict[str, Any] = {
    "title": "Drawn",
    "type": "object",
    "required": ["model", "digest", "images"],
    "additionalProperties": False,
    "properties": {
        "model": {"type": "string"},
        "digest": {"type": "string", "description": "SHA-256 of the model's file."},
        "columns": {"type": "integer", "description": "Of a grid: how many images a row has."},
        "images": {
            "type": "array",
            "items": {
                "oneOf": [
                    {
                        "title": "Image",
                        "type": "object",
                        "required": ["seed", "index", "class", "styles", "png"],
                        "additionalProperties": False,
                        "properties": {
                            "seed": {"type": "integer"},
                            "index": {"type": "integer"},
                            "class": WEIGHTS | {"description": "The weight of each class that has any."},
                            "styles": WEIGHTS,
                            "truncation": {"type": "number"},
                            "noise": {"type": "array", "items": {"type": "number"}},
                            "png": {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
                        },
                    },
                    {
                        "title": "Failed",
                        "type": "object",
                        "required": ["problem"],
                        "additionalProperties": False,
                        "properties": {"problem": problems.SCHEMA},
                    },
                ]
            },
        },
    },
}
"""That of `json`, for OpenAPI."""


@dataclass(frozen=True)
class Rendering:
    """How images become bytes; with what the bytes say of themselves, all that decides them."""

    format: Format
    scale: int = 1
    fps: int = FPS
    back: bool = False
    """Whether an animation plays there and back."""


def told_by(plan: Plan, rendering: Rendering) -> Origin:
    """What the file says of itself: of one image, what it alone would say."""
    return plan.origins[0] if rendering.format == "png" and len(plan) == 1 else plan.whole


def encoded(plan: Plan, images: Images, rendering: Rendering) -> bytes:
    """The answer's bytes, of all its images (N, H, W, channels)."""
    match rendering.format:
        case "png" | "sheet":
            return png(scaled(sheet(images, plan.columns), rendering.scale), told_by(plan, rendering))
        case "zip":
            return _zip(plan, images, rendering.scale)
        case "json":
            return _json(plan, images, rendering.scale)
        case "npy":
            return npy(images)
        case kind:
            frames = [scaled(image, rendering.scale) for image in images]
            frames += frames[-2:0:-1] if rendering.back else []
            return animated(frames, kind, rendering.fps, plan.whole)


def npy(images: Images) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    return buffer.getvalue()


def _zip(plan: Plan, images: Images, scale: int) -> bytes:
    """`0000.png`, `0001.png` and so on, and what they are in `manifest.json`."""
    buffer, listed = io.BytesIO(), []
    # A ZipInfo without a date has that of the format's beginning.
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for place, (told, content) in enumerate(_each(plan, images, scale)):
            if content is not None:
                told["file"] = f"{place:04d}.png"
                archive.writestr(zipfile.ZipInfo(told["file"]), content)
            listed.append(told)
        manifest = json.dumps(_head(plan) | {"images": listed}, indent=1)
        archive.writestr(zipfile.ZipInfo("manifest.json"), manifest + "\n")
    return buffer.getvalue()


def _json(plan: Plan, images: Images, scale: int) -> bytes:
    listed = []
    for told, content in _each(plan, images, scale):
        if content is not None:
            told["png"] = base64.b64encode(content).decode()
        listed.append(told)
    return json.dumps(_head(plan) | {"images": listed}).encode()


def _head(plan: Plan) -> dict[str, Any]:
    head: dict[str, Any] = {"model": plan.card.name, "digest": plan.digest}
    return head if plan.columns is None else head | {"columns": plan.columns}


def _each(plan: Plan, images: Images, scale: int) -> Iterator[tuple[dict[str, Any], bytes | None]]:
    """What is told of each image, and its PNG; or what was wrong with it, and none."""
    origins = iter(plan.origins)
    for place, image in enumerate(images):
        if place in plan.failed:
            yield {"problem": plan.failed[place]}, None
        else:
            origin = next(origins)
            told = origin.model_dump(exclude={"model", "digest"}, exclude_none=True)
            yield told, png(scaled(image, scale), origin)
