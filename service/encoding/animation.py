"""Frames to a file that plays in a loop: animated PNG and WebP, which are lossless, or GIF, which has 256 colours.

A frame lasts a whole number of milliseconds, in GIF of hundredths of a second. A frame that equals the one before it
lengthens that one.
"""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from latent.origin import KEYWORD
from latent.png import COMPRESSED

Frames = Sequence[NDArray[np.uint8]]
"""Each (H, W, channels)."""

Play = Callable[[Frames, int, str], bytes]
"""From frames, frames a second and the text that the file may record to the file."""

FPS = 12
"""Frames a second if the request names no number."""

WEBP_METHOD = 0
"""The fastest method: more effort makes small images a few hundredths smaller."""


def encode_apng(frames: Frames, fps: int, text: str) -> bytes:
    """Animated PNG. A text chunk has the text."""
    chunks = PngInfo()
    chunks.add_text(KEYWORD, text, zip=len(text) > COMPRESSED)
    return _encode(frames, fps, format="PNG", compress_level=1, pnginfo=chunks)


def encode_webp(frames: Frames, fps: int, _: str) -> bytes:
    return _encode(frames, fps, format="WEBP", lossless=True, method=WEBP_METHOD)


def encode_gif(frames: Frames, fps: int, _: str) -> bytes:
    return _encode(frames, fps, format="GIF", optimize=False)


def _encode(frames: Frames, fps: int, **options: Any) -> bytes:
    first, *others = [Image.fromarray(frame[:, :, 0] if frame.shape[2] == 1 else frame) for frame in frames]
    buffer = io.BytesIO()
    first.save(buffer, save_all=True, append_images=others, duration=round(1000 / fps), loop=0, **options)
    return buffer.getvalue()
