"""The ground that a drawing lies on: paper of one shade, or paper that is lit unevenly."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Levels = NDArray[np.float32]
Mask = NDArray[np.bool_]

BLOCKS = 28
"""How many blocks the longer side has. The median of a block does not see a rule, a thin frame or a speck."""

LEAST_SIDE = 64
"""The least side in pixels of a page. In a smaller picture a block, or a rule, is as small as a stroke."""

RING = 2
"""How many blocks wide the edge of a page is."""

NEAR = 12
"""A block that differs less than this from a surface lies on it."""

MOST, MOST_OF_RING = 0.7, 0.9
"""The least shares of all blocks, and of those at the edge, that lie on the ground."""

EVEN = 4
"""The most by which a ground differs that is called even. Levels are from 0 to 255."""

FLAT, FLAT_EDGE = 1, 0.6
"""Where so much of the edge differs so little from the border, the ground is surely even."""

DEGREES = (2, 2, 3, 4, 4)
ROUNDS = 10


def border(levels: NDArray[Any]) -> NDArray[Any]:
    """The outermost pixels: (count,) or (count, channels)."""
    outermost = np.ones(levels.shape[:2], np.bool_)
    outermost[1:-1, 1:-1] = False
    return np.asarray(levels[outermost])


def find_ground(levels: NDArray[np.uint8]) -> Levels:
    """The ground of grey levels (h, w): (1, 1) if it is even, otherwise (h, w).

    It is the shade of the border, unless a smooth surface explains most of the page and nearly all of its edge.
    """
    shade = np.full((1, 1), np.median(border(levels)), np.float32)
    if min(levels.shape) < LEAST_SIDE:
        return shade
    blocks = _medians(levels)
    ring = np.ones(blocks.shape, np.bool_)
    ring[RING:-RING, RING:-RING] = False
    if np.mean(np.abs(blocks[ring] - shade[0]) <= FLAT) >= FLAT_EDGE:
        return shade
    surface, near = max(
        (_fit(blocks, first) for first in (ring, np.ones_like(ring))), key=lambda fit: int(fit[1].sum())
    )
    if near.mean() < MOST or near[ring].mean() < MOST_OF_RING:
        return shade
    if np.ptp(surface) > EVEN:
        return _enlarge(surface, levels.shape)
    level = np.median(blocks[near])
    return shade if abs(level - shade.item()) <= EVEN else np.full((1, 1), level, np.float32)


def _side(shape: tuple[int, ...]) -> int:
    return -(-max(shape) // BLOCKS)


def _medians(levels: NDArray[np.uint8]) -> Levels:
    side = _side(levels.shape)
    down, across = (length // side for length in levels.shape)
    tiles = levels[: down * side, : across * side].reshape(down, side, across, side).swapaxes(1, 2)
    return np.asarray(np.median(tiles.reshape(down, across, side * side), axis=2), np.float32)


def _fit(blocks: Levels, first: Mask) -> tuple[Levels, Mask]:
    """A smooth surface through most of the first blocks and then of those near it, and which blocks lie on it."""
    chosen = first
    for degree in DEGREES:
        surface = _least_distances(_terms(blocks.shape, degree), blocks, chosen)
        chosen = np.abs(blocks - surface) <= NEAR
    return surface, chosen


def _terms(shape: tuple[int, ...], degree: int) -> NDArray[np.float64]:
    """The products of powers of the place, up to the degree: (h, w, terms)."""
    down, across = (np.linspace(-1, 1, length) for length in shape)
    powers = [(i, j) for i in range(degree + 1) for j in range(degree + 1 - i)]
    return np.stack([np.outer(down**i, across**j) for i, j in powers], axis=2)


def _least_distances(terms: NDArray[np.float64], blocks: Levels, chosen: Mask) -> Levels:
    """The surface whose distances from the chosen blocks have the least sum: a few far blocks do not move it."""
    if np.count_nonzero(chosen) <= 2 * terms.shape[2]:
        chosen = np.ones(blocks.shape, np.bool_)
    known, wanted = terms[chosen], blocks[chosen].astype(np.float64)
    weights = np.ones(len(wanted))
    for _ in range(ROUNDS):  # least squares with new weights come near the least sum
        weighted = known.T * weights
        solved = np.linalg.lstsq(weighted @ known, weighted @ wanted, rcond=None)[0]
        weights = 1 / np.maximum(np.abs(known @ solved - wanted), 1)
    return np.asarray(terms @ solved, np.float32)


def _enlarge(surface: Levels, shape: tuple[int, ...]) -> Levels:
    """Each pixel between the middles of the blocks, in a straight line."""
    for axis, length in enumerate(shape):
        places = (np.arange(length) + 0.5) / _side(shape) - 0.5
        low = np.clip(np.floor(places).astype(np.intp), 0, surface.shape[axis] - 2)
        share = np.expand_dims((places - low).astype(np.float32), 1 - axis)
        surface = surface.take(low, axis) * (1 - share) + surface.take(low + 1, axis) * share
    return surface
