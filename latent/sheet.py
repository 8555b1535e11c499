"""Several images on one sheet."""

import math

import numpy as np
from numpy.typing import NDArray


def enlarge(images: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Make each pixel of images (..., H, W, channels) `factor` wide and high."""
    return images if factor == 1 else images.repeat(factor, axis=-3).repeat(factor, axis=-2)


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
