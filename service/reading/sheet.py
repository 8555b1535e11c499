"""A sheet of paper that lies on a table, or whose scan has broad dark edges."""

import numpy as np

from service.reading.ground import LEAST_SIDE, Mask
from service.reading.regions import Regions

LEAST = 0.4
"""The least share of the picture that the box of a sheet has."""

FILLED = (0.8, 0.8, 0.85, 0.85)
"""The least share of its box that a sheet fills, by the sides of the picture that it reaches. It may lie askew."""

STRAIGHT = 0.98
"""The least share of each side of the part that is cut out which is paper."""

CUT = 0.7
"""The least share of its box that is cut out. Clothes fill a box too, but have no straight sides."""

MARGIN = 0.015
"""What is cut off at each side, for the blur of the edge."""

DRAWN = 0.002
"""The least share of the sheet that is drawn on."""


def find_sheet(regions: Regions) -> tuple[slice, slice] | None:
    """The inside of the sheet, if the largest region is one: rows and columns."""
    height, width = regions.labels.shape
    top, left, bottom, right = regions.boxes[0].tolist()
    size = (bottom - top) * (right - left)
    at_border = (top == 0) + (left == 0) + (bottom == height) + (right == width)
    if at_border == 4 or size < LEAST * regions.labels.size or regions.areas[0] < FILLED[at_border] * size:
        return None
    paper = regions.labels == 0
    while (bottom - top) * (right - left) >= CUT * size:
        sides = (
            paper[top, left:right],
            paper[bottom - 1, left:right],
            paper[top:bottom, left],
            paper[top:bottom, right - 1],
        )
        shares = [side.mean() for side in sides]
        worst = int(np.argmin(shares))
        if shares[worst] >= STRAIGHT:
            return _inside(paper, top, left, bottom, right)
        top, bottom, left, right = top + (worst == 0), bottom - (worst == 1), left + (worst == 2), right - (worst == 3)
    return None


def _inside(paper: Mask, top: int, left: int, bottom: int, right: int) -> tuple[slice, slice] | None:
    margin = max(2, round(MARGIN * max(paper.shape)))
    rows, columns = slice(top + margin, bottom - margin), slice(left + margin, right - margin)
    inside = paper[rows, columns]
    if min(inside.shape) < LEAST_SIDE or 1 - inside.mean() < DRAWN:
        return None
    return rows, columns
