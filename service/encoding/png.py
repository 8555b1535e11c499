"""Arrays to PNG: one image, or a sheet of several."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from latent.origin import KEYWORD, Origin

COMPRESSION = 1
"""zlib's fastest level: half the time of the default, for some 20 bytes more in a digit."""


COMPRESSED = 1000
"""Characters of a text chunk above which it is compressed, as the PNG specification recommends."""


def encode_png(image: NDArray[np.uint8], origin: Origin | None = None) -> bytes:
    """PNG of one image (H, W, channels). A text chunk records its origin, if there is one."""
    buffer = io.BytesIO()
    picture(image).save(buffer, "PNG", compress_level=COMPRESSION, pnginfo=text_chunks(origin))
    return buffer.getvalue()


def picture(image: NDArray[np.uint8]) -> Image.Image:
    """Pillow's picture of one image (H, W, channels)."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def text_chunks(origin: Origin | None) -> PngInfo:
    chunks = PngInfo()
    if origin is not None:
        text = origin.text()
        chunks.add_text(KEYWORD, text, zip=len(text) > COMPRESSED)
    return chunks
