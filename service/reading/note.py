"""A note: paper that lies on a table and fills less of the picture than a sheet does, in any direction."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.reading.ground import LEAST_SIDE, Levels, Mask
from service.reading.regions import Regions, find_regions

LOOKED_AT = 5
"""Of the regions, only the largest can be paper."""

LEAST = 0.02
"""The least share of the picture that a note has."""

ROOM = 0.9
"""The least share of the narrowest rectangle about it that the hull of a note has: paper has four corners."""

WHOLE = 0.5
"""The least share of its hull that is paper, and not drawn on."""

DRAWN = 0.008
"""The least share of its hull that is drawn on, away from its edges."""

BITTEN = 0.05
"""The most of its hull that is neither paper nor drawn on. Clothes have bays between their parts."""

SHADE, FLAT = 0.12, 0.85
"""The least share FLAT of the paper differs less than SHADE from its usual shade. Few clothes are as even."""

ASKEW = 30
"""Degrees from which it is not known which way is up."""

MARGIN = 0.04
"""What is cut off at each side, by the shorter side."""


@dataclass(frozen=True)
class Note:
    """A rectangle that lies askew."""

    centre: tuple[float, float]
    """Across and down, in pixels"""
    size: tuple[float, float]
    """Width and height, in pixels"""
    angle: float
    """Degrees by which it is turned clockwise, from -45 to 45"""

    @property
    def is_askew(self) -> bool:
        return abs(self.angle) > ASKEW


def find_notes(ink: Levels, regions: Regions) -> list[Note]:
    """The notes among the largest regions of the ink (h, w)."""
    return [note for k in range(min(len(regions), LOOKED_AT)) if (note := _note(ink, regions, k)) is not None]


def cut_out(levels: NDArray[np.uint8], note: Note) -> NDArray[np.uint8]:
    """The inside of a note, upright."""
    margin = max(2.0, MARGIN * min(note.size))
    width, height = (max(1, round(side - 2 * margin)) for side in note.size)
    turn = np.deg2rad(note.angle)
    cosine, sine = float(np.cos(turn)), float(np.sin(turn))
    across, down = note.centre
    corner = (across - cosine * width / 2 + sine * height / 2, down - sine * width / 2 - cosine * height / 2)
    places = (cosine, -sine, corner[0], sine, cosine, corner[1])
    picture = Image.fromarray(levels)
    return np.asarray(picture.transform((width, height), Image.Transform.AFFINE, places, Image.Resampling.BICUBIC))


def _note(ink: Levels, regions: Regions, number: int) -> Note | None:
    top, left, bottom, right = regions.boxes[number].tolist()
    area = int(regions.areas[number])
    if min(bottom - top, right - left) < LEAST_SIDE or area < LEAST * ink.size * WHOLE:
        return None
    region = regions.labels[top:bottom, left:right] == number
    hull = _hull(region)
    size = _area(hull)
    drawn = _enclosed(region)
    if not (WHOLE * size <= area and DRAWN * size <= drawn and size - area - drawn <= BITTEN * size):
        return None
    centre, sides, angle = _narrowest(hull)
    if (
        size < ROOM * sides[0] * sides[1]
        or min(sides) < LEAST_SIDE
        or not _is_flat(ink[top:bottom, left:right][region])
    ):
        return None
    return Note((centre[0] + left, centre[1] + top), sides, angle)


def _enclosed(region: Mask) -> int:
    """The pixels of all holes of a region."""
    outside = find_regions(np.pad(~region, 1, constant_values=True))
    return int(outside.areas[~outside.touching].sum())


def _is_flat(strength: Levels) -> bool:
    return float(np.mean(np.abs(strength - np.median(strength)) <= SHADE)) >= FLAT


def _hull(region: Mask) -> NDArray[np.float64]:
    """The corners of the convex hull of a region's pixels, across and down (N, 2), in turn."""
    rows = np.flatnonzero(region.any(axis=1))
    first = region[rows].argmax(axis=1)
    last = region.shape[1] - region[rows, ::-1].argmax(axis=1)
    points = [
        *((float(x), float(y) + add) for x, y in zip(first, rows, strict=True) for add in (0, 1)),
        *((float(x), float(y) + add) for x, y in zip(last, rows, strict=True) for add in (0, 1)),
    ]
    points = sorted(set(points))
    return np.array(_half(points)[:-1] + _half(points[::-1])[:-1])


def _half(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """One side of the hull of sorted points (Andrew 1979)."""
    kept: list[tuple[float, float]] = []
    for x, y in points:
        while len(kept) > 1:
            (ax, ay), (bx, by) = kept[-2:]
            if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                break
            kept.pop()
        kept.append((x, y))
    return kept


def _area(hull: NDArray[np.float64]) -> float:
    x, y = hull.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


def _narrowest(hull: NDArray[np.float64]) -> tuple[tuple[float, float], tuple[float, float], float]:
    """The rectangle of least area about a hull: its centre, its sides, and its turn. It lies along one of the edges."""
    edges = np.roll(hull, -1, axis=0) - hull
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    angles = (angles + np.pi / 4) % (np.pi / 2) - np.pi / 4
    axes = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    along = hull @ axes.T
    beside = hull @ np.stack([-axes[:, 1], axes[:, 0]])
    sides = np.ptp(along, axis=0), np.ptp(beside, axis=0)
    best = int(np.argmin(sides[0] * sides[1]))
    middle = [(one[:, best].min() + one[:, best].max()) / 2 for one in (along, beside)]
    cosine, sine = axes[best]
    centre = cosine * middle[0] - sine * middle[1], sine * middle[0] + cosine * middle[1]
    return (
        (float(centre[0]), float(centre[1])),
        (float(sides[0][best]), float(sides[1][best])),
        float(np.rad2deg(angles[best])),
    )
