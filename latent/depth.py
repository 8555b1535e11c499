"""Levels of more than 8 bits as 8 bits. What counts is the bits that the content fills, not those of its file.

Cameras and microscopes write their 10, 12 or 14 bits to files of 16, and some tools write 8 bits so.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

DEPTHS = (8, 10, 12, 14, 16)
"""The bits of a level that devices and files have."""


def depth_of(levels: NDArray[np.integer[Any]]) -> int:
    """The fewest bits of DEPTHS that hold all levels. Raises ValueError for levels beyond unsigned 16 bits."""
    brightest = int(levels.max(initial=0))
    if levels.min(initial=0) < 0 or brightest >= 1 << DEPTHS[-1]:
        raise ValueError(f"levels are from 0 to {(1 << DEPTHS[-1]) - 1}")
    return next(depth for depth in DEPTHS if brightest < 1 << depth)


def to_bytes(levels: NDArray[np.integer[Any]], depth: int) -> NDArray[np.uint8]:
    """Scale levels, which `depth` bits hold, so that white is 255. Images of one set have one depth in common."""
    bytes_of = np.rint(np.arange(1 << depth) * (255 / ((1 << depth) - 1))).astype(np.uint8)
    return np.asarray(bytes_of[levels])
