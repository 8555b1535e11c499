"""Frames to a file that plays over and over: animated PNG and WebP, which lose nothing, or GIF of 256 colours."""

import io
from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from service.encoding.png import COMPRESSION, chunks, picture
from service.planning.provenance import Origin

Animation = Literal["apng", "webp", "gif"]
ANIMATIONS: tuple[Animation, ...] = get_args(Animation)

FPS = 12
"""Frames a second where none were asked for."""

WEBP_METHOD = 0
"""The fastest: on small images, more effort saves a few hundredths."""


def animated(frames: Sequence[NDArray[np.uint8]], kind: Animation, fps: int, origin: Origin) -> bytes:
    """The file of frames (H, W, channels); an animated PNG tells its origin as others do.

    A frame lasts a whole number of milliseconds, in GIF of hundredths of a second. One that is like the frame before
    it makes that last longer.
    """
    options: dict[Animation, dict[str, Any]] = {
        "apng": {"format": "PNG", "compress_level": COMPRESSION, "pnginfo": chunks(origin)},
        "webp": {"format": "WEBP", "lossless": True, "method": WEBP_METHOD},
        "gif": {"format": "GIF", "optimize": False},
    }
    first, *others = [picture(frame) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, save_all=True, append_images=others, duration=round(1000 / fps), loop=0, **options[kind])
    return buffer.getvalue()
