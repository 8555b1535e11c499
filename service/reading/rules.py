"""Straight thin lines across a page: rules, squares, margins and frames. They are found and bridged."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reading.ground import LEAST_SIDE, Levels

THICKEST = 0.025
"""The most that a rule is thick, of the longer side."""

FAINTEST = 0.06
"""The least by which a rule differs from what lies on both sides of it."""

STEEPEST = 0.12
"""The most that a rule leans: seven degrees, as on a photograph taken by hand."""

COVERED = 0.35
"""The least share of the page's width that a rule covers. Strokes cross it, and some rules are dotted."""

SPAN = 0.8
"""The least share of the page's width from a rule's first pixel to its last."""

ALONE = 0.94
"""The least span of a line that is alone: the bar of a large 7 is shorter."""

SAMPLES = 280
"""How many columns are looked at, so that a large page costs little more."""

PASSES = 6
"""Lines that lean differently, as in a photograph, are found one after the other."""


@dataclass(frozen=True)
class Line:
    top: int
    """The first row, and the first below, in the middle of the page."""
    bottom: int
    slope: float
    span: float


def remove_rules(ink: Levels) -> tuple[Levels, int]:
    """The ink (h, w) without rules, and how many there were."""
    if min(ink.shape) < LEAST_SIDE:
        return ink, 0
    cleared, count = ink, 0
    for _ in range(PASSES):
        across, down = _find_lines(cleared), _find_lines(cleared.T)
        lines = across + down
        if not lines or (count == 0 and len(lines) == 1 and lines[0].span < ALONE):
            break
        count += len(lines)
        cleared = _bridge(_bridge(cleared, across).T, down).T
    return cleared, count


def _find_lines(ink: Levels) -> list[Line]:
    """The lines from left to right, all with the slope that most of them have."""
    width = ink.shape[1]
    rows, columns = _ridge(ink)
    step = max(1, width // SAMPLES)
    sampled = columns % step == 0
    rows, columns = rows[sampled], columns[sampled]
    if len(rows) < COVERED * width / step:
        return []
    wide = -(-width // step)
    slopes = np.arange(-STEEPEST, STEEPEST, 1.5 / width)
    slopes = slopes - slopes[np.abs(slopes).argmin()]  # one of them is level
    profiles = [_profile(rows, columns, slope, ink.shape) / wide for slope in slopes]
    best = max(range(len(slopes)), key=lambda k: float((profiles[k][profiles[k] >= COVERED] ** 2).sum()))
    lines = [
        Line(top, bottom, float(slopes[best]), _span(rows, columns, slopes[best], top, bottom, width))
        for top, bottom in _peaks(profiles[best])
    ]
    return [line for line in lines if line.span >= SPAN]


def _ridge(ink: Levels) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pixels with more ink than what lies above and below, beyond a rule's thickness."""
    reach = max(2, round(THICKEST * max(ink.shape))) + 1
    padded = np.pad(ink, ((reach, reach), (0, 0)))
    beside = np.maximum(padded[: -2 * reach], padded[2 * reach :])
    rows, columns = np.nonzero((ink - beside >= FAINTEST) & (beside <= ink / 2))
    return rows, columns


def _leaning(columns: NDArray[np.intp], slope: float, width: int) -> NDArray[np.intp]:
    return np.asarray(np.rint(slope * (columns - width / 2)), np.intp)


def _profile(
    rows: NDArray[np.intp], columns: NDArray[np.intp], slope: float, shape: tuple[int, ...]
) -> NDArray[np.intp]:
    """How many pixels each line of this slope has, by its row in the middle."""
    reach = int(STEEPEST * shape[1]) + 1
    places = rows - _leaning(columns, slope, shape[1]) + reach
    return np.bincount(places, minlength=shape[0] + 2 * reach)[reach : reach + shape[0]]


def _peaks(profile: NDArray[np.float64]) -> list[tuple[int, int]]:
    """The rows of each line: those about a high one that have half of what a line has."""
    edges = np.diff((profile >= COVERED / 2).astype(np.int8), prepend=0, append=0)
    pairs = zip(np.flatnonzero(edges == 1).tolist(), np.flatnonzero(edges == -1).tolist(), strict=True)
    return [(top, bottom) for top, bottom in pairs if profile[top:bottom].max() >= COVERED]


def _span(rows: NDArray[np.intp], columns: NDArray[np.intp], slope: float, top: int, bottom: int, width: int) -> float:
    places = rows - _leaning(columns, slope, width)
    found = columns[(places >= top) & (places < bottom)]
    return float(np.ptp(found) / width)


def _bridge(ink: Levels, lines: list[Line]) -> Levels:
    """Fill each line with what lies above and below: a stroke that crosses it stays whole."""
    bridged = ink.copy()
    height, width = ink.shape
    columns = np.arange(width)
    for line in lines:
        # A pixel more on each side, for a line that is blurred.
        above = line.top - 2 + _leaning(columns, line.slope, width)
        depth = line.bottom - line.top + 3
        ends = [
            np.where((row >= 0) & (row < height), bridged[row.clip(0, height - 1), columns], 0)
            for row in (above, above + depth)
        ]
        for offset in range(1, depth):
            share = np.float32(offset / depth)
            row = above + offset
            inside = (row >= 0) & (row < height)
            between = (ends[0] * (1 - share) + ends[1] * share)[inside]
            bridged[row[inside], columns[inside]] = np.minimum(bridged[row[inside], columns[inside]], between)
    return bridged
