"""Many images as one picture."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def tile(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Lay images (N, H, W, channels) out row by row: (rows * H, columns * W, channels). Empty places are black."""
    count, height, width, channels = images.shape
    rows = -(-count // columns)
    grid = np.zeros((rows * columns, height, width, channels), np.uint8)
    grid[:count] = images
    tiles = grid.reshape(rows, columns, height, width, channels).swapaxes(1, 2)
    return tiles.reshape(rows * height, columns * width, channels)


def to_picture(image: NDArray[np.uint8], scale: int = 1) -> Image.Image:
    """Pillow's picture of one image (H, W, channels), each pixel `scale` wide and high."""
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
