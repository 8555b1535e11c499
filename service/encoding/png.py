"""Arrays to PNG: one image, or a sheet of several."""

import io
import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from service.planning.provenance import KEYWORD, Origin

COMPRESSION = 1
"""zlib's fastest: a digit is some 20 bytes larger than at the default, in half the time."""


def png(image: NDArray[np.uint8], origin: Origin | None = None) -> bytes:
    """PNG of one image of shape (H, W, channels), which says in a text chunk where it came from, if that is given."""
    buffer = io.BytesIO()
    picture(image).save(buffer, "PNG", compress_level=COMPRESSION, pnginfo=chunks(origin))
    return buffer.getvalue()


def picture(image: NDArray[np.uint8]) -> Image.Image:
    """Of one image of shape (H, W, channels)."""
    return Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)


def chunks(origin: Origin | None) -> PngInfo:
    told = PngInfo()
    if origin is not None:
        told.add_text(KEYWORD, origin.text())
    return told


def scaled(image: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """An image (H, W, channels), each pixel of which becomes `factor` wide and high."""
    return image.repeat(factor, axis=0).repeat(factor, axis=1)


def sheet(images: NDArray[np.uint8], columns: int | None = None) -> NDArray[np.uint8]:
    """Images (N, H, W, channels) row by row in a grid; what is left over is black.

    Without `columns` it is about as wide as high.
    """
    count, height, width, channels = images.shape
    columns = columns or math.ceil(math.sqrt(count))
    rows = math.ceil(count / columns)
    grid = np.zeros((rows * columns, height, width, channels), np.uint8)
    grid[:count] = images
    tiled = grid.reshape(rows, columns, height, width, channels).transpose(0, 2, 1, 3, 4)
    return tiled.reshape(rows * height, columns * width, channels)
