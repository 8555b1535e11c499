"""Finds the one drawing of a page, among what else is there: rules, frames, specks, the table that the page lies on."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from service.errors import BlankImage, UnclearImage
from service.reading.ground import LEAST_SIDE, Levels, Mask
from service.reading.ink import FAINT, Ink, measure_ink
from service.reading.note import cut_out, find_notes
from service.reading.regions import Box, Regions, find_regions, join_boxes
from service.reading.rules import remove_rules
from service.reading.sheet import find_sheet

Removed = Literal["surroundings", "light", "rules", "frame", "specks"]

NOTHING = "Nothing is drawn in this image: send an image whose drawing stands out from its ground."
REMEDY = "Crop the picture to one drawing on plain paper."

SHARE = 0.35
"""A pixel with less than this share of the strongest ink is no part of a drawing on a page that is not clean."""

LOOKED_AT = 60
"""Of many regions, only the largest can be parts of a drawing."""

PART = 0.01
"""The least area of a part, by the drawing's largest region. What is smaller is a speck."""

GAP, GAP_BESIDE, LARGE = 0.12, 0.05, 0.35
"""The most that a part is away from the rest, by the longer side. A large part beside it is nearer: digits stand so."""

OTHER, OTHERS, WORTH = 0.12, 1.0, 0.02
"""The area of another drawing, by the drawing's; that of all others together; and the least that counts for that."""

EDGE = 0.15
"""The most of a page that may be covered at its edge, as by a shadow or the table."""

TWO_SHADES = 0.003
"""The share of pixels on the other side of the ground from which it has two shades."""

FEW = 2
"""So many lines may be the drawing itself."""

SMALLEST, SMALLEST_NOISY = 0.0005, 0.0015
"""The least area of a drawing, by the page's, where rules were removed; and where there is noise."""

PLATEAU, SHADOWED = 0.6, 0.3
"""Where a region reaches a corner of the page, it is a shadow if less than SHADOWED of it has PLATEAU of its ink."""

FRINGE, REACH = 0.1, 0.03
"""How far faint ink about a drawing may widen it, by the longer side; if farther, only so much of it is kept."""

WEAKEST = 0.4
"""Where the ink of a drawing is weaker than this, it is strengthened: faint pencil is read as ink."""


@dataclass(frozen=True)
class Drawing:
    ink: Levels
    """(h, w), from 0 to 1, of the drawing alone"""
    removed: tuple[Removed, ...]
    """What else was on the page."""


def find_drawing(levels: NDArray[np.uint8]) -> Drawing:
    """Find the drawing on grey levels (h, w). Raises BlankImage and UnclearImage."""
    found = _find(measure_ink(levels), levels, inner=False)
    peak = float(np.percentile(found.ink[found.ink >= FAINT], 98))
    return Drawing(np.minimum(found.ink / peak, 1), found.removed) if peak < WEAKEST else found


def _find(ink: Ink, levels: NDArray[np.uint8], *, inner: bool) -> Drawing:
    if ink.levels.max() < FAINT:
        raise BlankImage("body", NOTHING)
    page = min(levels.shape) >= LEAST_SIDE
    if page and not inner and (paper := _find_paper(ink.levels, levels)) is not None:
        found = _find(measure_ink(paper), paper, inner=True)
        return Drawing(found.ink, ("surroundings", *found.removed))
    if page and not ink.noisy and ink.against >= TWO_SHADES:
        raise _unclear("The ground has several shades, as by a hard shadow or a pattern")
    cleared, rules = remove_rules(ink.levels)
    if rules <= FEW and cleared.max() < FAINT:
        cleared, rules = ink.levels, 0  # nothing else is there: a 1 may be a straight line across the page
    clean = None if rules or ink.noisy or not ink.even else _take_clean(cleared)
    found = clean or _take(cleared, ink, rules)
    if inner and _touches(found.ink >= FAINT):
        raise _unclear("The drawing reaches the edge of its paper")
    return found


def _find_paper(ink: Levels, levels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """The inside of the paper that lies on a table, if one does. Raises UnclearImage."""
    regions = find_regions(ink >= _threshold(ink))
    sheet = find_sheet(regions)
    if sheet is not None:
        return levels[sheet]
    notes = find_notes(ink, regions)
    if len(notes) > 1:
        raise _unclear("There are several pieces of paper")
    if notes and notes[0].is_askew:
        raise _unclear("The paper lies askew")
    return cut_out(levels, notes[0]) if notes else None


def _take_clean(ink: Levels) -> Drawing | None:
    """The drawing on a page where nothing else is but specks: with all of its ink, down to the faintest."""
    regions = find_regions(ink >= FAINT)
    group, box = _gather(regions, 0, np.ones(len(regions), np.bool_))
    if _frames(regions) or _is_framed(regions, group, box):
        return None
    area = regions.areas[group].sum()
    rest = np.delete(regions.areas, group)
    if rest.max(initial=0) > WORTH * area or rest.sum() > FRINGE * area:
        return None
    drawn = np.isin(regions.labels, group)
    _check_corners(ink, drawn)
    return Drawing(np.where(drawn, ink, np.float32(0)), ("specks",)) if len(rest) else Drawing(ink, ())


def _take(cleared: Levels, ink: Ink, rules: int) -> Drawing:
    """The drawing on any other page: its strong ink, and the faint ink near it."""
    seen: list[Removed] = ["light"] if not ink.even else []
    seen += ["rules"] if rules else []
    if cleared.max() < FAINT:
        raise BlankImage("body", "Nothing is drawn in this image but lines: send one with a drawing.")
    regions = find_regions(cleared >= _threshold(cleared))
    frames = _frames(regions)
    group = _choose(regions, frames)
    box = join_boxes(regions.boxes[group])
    if _is_framed(regions, group, box):
        return _take_out_of_frame(cleared, np.isin(regions.labels, group), box, ink)
    rest = np.setdiff1d(np.arange(len(regions)), [*group, *frames])
    area = int(regions.areas[group].sum())
    _check_rest(regions, rest, area, touching=bool(regions.touching[group].any()), serious=bool(seen or frames))
    least = SMALLEST_NOISY if ink.noisy else SMALLEST if seen else 0
    if area < least * cleared.size:
        raise BlankImage("body", "Nothing is drawn in this image but lines and specks: send one with a drawing.")
    drawn = np.isin(regions.labels, group)
    _check_corners(cleared, drawn)
    kept = _with_faint_ink(cleared, drawn, box)
    seen += ["frame"] if frames else []
    seen += ["specks"] if len(rest) or (np.any((cleared >= FAINT) & ~kept) and not frames) else []
    return Drawing(np.where(kept, cleared, np.float32(0)), tuple(seen))


def _threshold(ink: Levels) -> float:
    marked = ink[ink >= FAINT]
    return max(FAINT, SHARE * float(np.percentile(marked, 99))) if len(marked) else FAINT


def _choose(regions: Regions, frames: list[int]) -> list[int]:
    """The largest region that is no frame, and its parts. A region at the edge gives way to one nearly as large."""
    free = np.ones(len(regions), np.bool_)
    free[frames] = False
    if not free.any():
        raise _unclear("There is a frame with nothing inside")
    main = int(np.flatnonzero(free)[0])
    inside = np.flatnonzero(free & ~regions.touching)
    if regions.touching[main] and len(inside) and regions.areas[inside[0]] >= 0.1 * regions.areas[main]:
        main = int(inside[0])
    return _gather(regions, main, free if regions.touching[main] else free & ~regions.touching)[0]


def _gather(regions: Regions, main: int, allowed: Mask) -> tuple[list[int], Box]:
    """The region and the parts near it, as the loose stroke of a 5; and the box about all."""
    group, box = [main], regions.boxes[main]
    size = max(box[2] - box[0], box[3] - box[1])
    parts = np.flatnonzero(allowed[:LOOKED_AT] & (regions.areas[:LOOKED_AT] >= PART * regions.areas[main]))
    for part in [*parts.tolist()] * 2:  # a part may be near only to another part
        if part in group:
            continue
        other = regions.boxes[part]
        below, beside = (max(other[k] - box[k + 2], box[k] - other[k + 2], 0) for k in (0, 1))
        large = beside >= below and beside > 0 and regions.areas[part] >= LARGE * regions.areas[main]
        if max(below, beside) <= (GAP_BESIDE if large else GAP) * size:
            group.append(part)
            box = join_boxes(regions.boxes[group])
    return group, box


def _frames(regions: Regions) -> list[int]:
    """The regions that enclose another, as a drawn box or a circle does."""
    return [k for k in range(min(len(regions), 10)) if _encloses(regions, k)]


def _encloses(regions: Regions, outer: int) -> bool:
    top, left, bottom, right = regions.boxes[outer]
    if regions.areas[outer] > 0.4 * (bottom - top) * (right - left):
        return False
    for inner in range(min(len(regions), 10)):
        up, first, down, last = regions.boxes[inner]
        within = top < up and left < first and down < bottom and last < right
        large = max((down - up) / (bottom - top), (last - first) / (right - left)) >= 0.2
        if within and large and regions.areas[inner] >= 0.1 * regions.areas[outer]:
            row, column = (up + down) // 2, (first + last) // 2
            line, across = regions.labels[:, column] == outer, regions.labels[row] == outer
            hit = [line[:up].any(), across[:first].any(), line[down:].any(), across[last:].any()]
            cut = [top == 0, left == 0, bottom == len(line), right == len(across)]
            if sum(hit) >= 3 and all(h or c for h, c in zip(hit, cut, strict=True)):
                return True
    return False


def _is_framed(regions: Regions, group: list[int], box: Box) -> bool:
    """Whether the drawing has straight lines along all sides of its box: a frame that its strokes touch."""
    top, left, bottom, right = box
    height, width = bottom - top, right - left
    if min(height, width) < 16 or regions.areas[group].sum() > 0.6 * height * width:
        return False
    drawn = np.isin(regions.labels[top:bottom, left:right], group)
    down, across = max(2, round(0.05 * height)), max(2, round(0.05 * width))
    sides = drawn[:down].any(0), drawn[-down:].any(0), drawn[:, :across].any(1), drawn[:, -across:].any(1)
    return bool(min(side.mean() for side in sides) > 0.85)


def _take_out_of_frame(ink: Levels, framed: Mask, box: Box, measured: Ink) -> Drawing:
    """The drawing inside of a frame that it touches."""
    top, left, bottom, right = box
    part = np.where(framed, ink, np.float32(0))[top:bottom, left:right]
    inside, lines = remove_rules(np.pad(part, 2))
    if lines < 2:
        raise _unclear("A frame touches the drawing")
    found = _take(inside, measured, 0)
    return Drawing(found.ink, tuple(dict.fromkeys(("frame", *found.removed))))


def _check_rest(regions: Regions, rest: NDArray[np.intp], area: int, *, touching: bool, serious: bool) -> None:
    """Raises UnclearImage if what is not the drawing is too much to be specks."""
    areas, at_edge = regions.areas[rest], regions.touching[rest]
    counted = areas[areas >= WORTH * area] if touching else areas[(areas >= WORTH * area) & ~at_edge]
    if counted.max(initial=0) >= OTHER * area or counted.sum() > OTHERS * area:
        raise _unclear("There are several drawings, or more than a drawing")
    if not touching and areas[at_edge].sum() > EDGE * regions.labels.size:
        raise _unclear("Much of the page is covered at its edge, as by a shadow")
    if touching and (serious or areas.max(initial=0) >= PART * area) and min(regions.labels.shape) >= LEAST_SIDE:
        raise _unclear("The drawing reaches the edge of the page, or something else at the edge touches it")


def _check_corners(ink: Levels, drawn: Mask) -> None:
    """Raises UnclearImage for a region in a corner that is a shadow, with what is drawn in it."""
    corners = drawn[[0, 0, -1, -1], [0, -1, 0, -1]]
    if corners.any() and min(ink.shape) >= LEAST_SIDE:
        strong = ink[drawn]
        if np.mean(strong >= PLATEAU * np.percentile(strong, 99)) < SHADOWED:
            raise _unclear("A shadow lies on the page")


def _with_faint_ink(ink: Levels, drawn: Mask, box: Box) -> Mask:
    """The drawing and its faint ink: all that is joined to it, or what is near it if that would be too much."""
    faint = find_regions(ink >= FAINT)
    joined = np.unique(faint.labels[drawn])
    size = max(box[2] - box[0], box[3] - box[1])
    if np.abs(join_boxes(faint.boxes[joined]) - box).max() <= FRINGE * size:
        return np.isin(faint.labels, joined)
    reach = ImageFilter.MaxFilter(2 * max(1, round(REACH * size)) + 1)
    return np.asarray(Image.fromarray(drawn.astype(np.uint8)).filter(reach)) > 0


def _touches(drawn: Mask) -> bool:
    return bool(drawn[[0, -1]].any() or drawn[:, [0, -1]].any())


def _unclear(fault: str) -> UnclearImage:
    return UnclearImage("body", f"{fault}. {REMEDY}")
