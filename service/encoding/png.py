"""Arrays to PNG: one image, or a sheet of several."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from service.planning.provenance import KEYWORD, Origin

COMPRESSION = 1
"""zlib's fastest level: half the time of the default, for some 20 bytes more in a digit."""


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
        chunks.add_text(KEYWORD, origin.text())
    return chunks


def enlarge(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Make each pixel of an image (H, W, channels) `factor` wide and high."""
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def tile(images: NDArray[np.uint8], columns: int | None = None) -> NDArray[np.uint8]:
    """Lay images (N, H, W, channels) out row by row on one sheet; empty places are black.

    Without `columns`, the sheet is about as wide as high.
    """
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = np.zeros((rows * columns, height, width, channels), np.uint8)
    grid[:count] = images
    tiles = grid.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return tiles.reshape(rows * height, columns * width, channels)
