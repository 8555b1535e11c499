"""How much each pixel of a picture differs from its ground."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reading.ground import LEAST_SIDE, Levels, border, find_ground

FAINT = 0.1
"""A pixel that differs less than this from the ground is shade or JPEG's ringing, and belongs to no drawing."""

GRAIN = 8
"""A pixel that differs less from the ground than this many times the usual step of noise is the paper's grain."""

COARSEST = 0.25
"""The most that counts as grain."""

NOISY = 3
"""Levels of noise from which a page is smoothed before it is looked at."""

LEAST_ROOM = 64
"""The least range of levels from an uneven ground to full ink."""

STRONG = 25
"""Levels from which a pixel says whether the drawing is brighter than its ground, or darker."""

AGAINST = 40
"""Levels beyond the ground on the other side than the drawing from which a pixel contradicts it."""


@dataclass(frozen=True)
class Ink:
    levels: Levels
    """(h, w): from 0, the ground, to 1, the farthest from it"""
    bright: bool
    """Whether the drawing is brighter than its ground."""
    even: bool
    """Whether the ground has one shade."""
    noisy: bool
    against: float
    """The share of pixels that are beyond the ground on the other side: the ground has two shades."""


def measure_ink(levels: NDArray[np.uint8]) -> Ink:
    """Measure the ink of grey levels (h, w), bright on dark or dark on bright."""
    ground = find_ground(levels)
    even = ground.size == 1
    bright = _is_bright_on_dark(levels, ground)
    if not bright:
        levels, ground = 255 - levels, 255 - ground
    away = levels.astype(np.float32) - ground
    against = float(np.mean(away <= -AGAINST))
    page = min(levels.shape) >= LEAST_SIDE
    noise = float(np.median(np.abs(border(away))))
    noise = min(noise, _step(levels)) if page else noise  # light that is not even makes no steps
    noisy = page and noise > NOISY
    if noisy:
        away, noise = _smooth(away), noise / 3
    room = 255 - ground if even else np.maximum(255 - ground, LEAST_ROOM)
    ink = np.clip(away / room, 0, 1)
    grain = min(GRAIN * noise / 255, COARSEST)
    return Ink(np.where(ink < grain, np.float32(0), ink), bright, even, noisy, against)


def _is_bright_on_dark(levels: NDArray[np.uint8], ground: Levels) -> bool:
    """Whether most that differs from the ground is brighter. On a page, light that is not quite even does not count."""
    away = levels - ground
    strong = away[np.abs(away) >= STRONG] if min(levels.shape) >= LEAST_SIDE else away
    more = float((strong if strong.size else away).sum(dtype=np.float64))
    return more > 0 or (more == 0 and float(ground.mean()) < 128)


def _step(levels: NDArray[np.uint8]) -> float:
    """How far a pixel usually is from what it would be without noise: two neighbours differ by the root of 2 more."""
    steps = np.abs(np.diff(levels.astype(np.int16), axis=1))
    return float(np.median(steps)) / 2**0.5


def _smooth(levels: Levels) -> Levels:
    """The mean of each pixel and its eight neighbours."""
    height, width = levels.shape
    padded = np.pad(levels, 1, mode="edge")
    rows = padded[:height] + padded[1 : height + 1] + padded[2:]
    smooth: Levels = (rows[:, :width] + rows[:, 1 : width + 1] + rows[:, 2:]) / np.float32(9)
    return smooth
