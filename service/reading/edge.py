"""A frame along the very edge of a small picture, in which a line is as wide as a stroke."""

import numpy as np
from numpy.typing import NDArray

THICKEST = 4
"""Pixels."""

ALIKE, EVEN = 30, 0.97
"""Levels within which pixels have one shade, and the least share of a frame that has."""

LEAST = 24
"""The least side of a picture that is looked at: in a smaller one, a margin about a drawing may look like a frame."""

DRAWN = (0.01, 0.5)
"""The shares of the inside of a frame that may be drawn on."""

AGAINST, GROUND = 60, 0.8
"""Levels by which a frame differs from the ground inside, and the least share of what is next to it that is ground."""


def edge_frame(levels: NDArray[np.uint8]) -> int:
    """How many pixels wide the frame along the edge of grey levels (h, w) is; 0 if there is none."""
    if min(levels.shape) < LEAST:
        return 0
    outermost = _ring(levels, 0)
    shade = np.median(outermost)
    for width in range(1, min(THICKEST + 1, min(levels.shape) // 4)):
        if np.mean(np.abs(_ring(levels, width - 1) - shade) <= ALIKE) < EVEN:
            return 0
        inner = _ring(levels, width)
        ground = np.median(inner)
        if abs(ground - shade) >= AGAINST and np.mean(np.abs(inner - ground) <= ALIKE) >= GROUND:
            inside = levels[width:-width, width:-width]
            drawn = np.mean(np.abs(inside - ground) >= AGAINST)
            return width if DRAWN[0] <= drawn <= DRAWN[1] else 0
    return 0


def _ring(levels: NDArray[np.uint8], inset: int) -> NDArray[np.float64]:
    """The pixels that are so far from the edge."""
    inner = levels[inset : levels.shape[0] - inset, inset : levels.shape[1] - inset].astype(np.float64)
    return np.concatenate([inner[0], inner[-1], inner[1:-1, 0], inner[1:-1, -1]])
