"""The connected regions of a mask, and what each is like."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from service.reading.ground import Mask

Counts = NDArray[np.int64]
Box = Counts
"""Top, left, bottom and right; the last two are the first beyond."""


@dataclass(frozen=True)
class Regions:
    """Pixels that touch, also by a corner, are one region. The largest comes first."""

    labels: NDArray[np.int32]
    """(h, w): the region of each pixel, from 0, or -1"""
    areas: Counts
    """(N,): the pixels of each"""
    boxes: Counts
    """(N, 4): a Box of each"""
    touching: Mask
    """(N,): whether each reaches the edge of the picture"""

    def __len__(self) -> int:
        return len(self.areas)


def find_regions(mask: Mask) -> Regions:
    """Join the runs of pixels of neighbouring rows: all work is on arrays, so noise costs no more than a drawing."""
    height, width = mask.shape
    stride = width + 2  # a run never touches the next row's
    padded = np.zeros((height, stride), np.int8)
    padded[:, 1:-1] = mask
    edges = np.diff(padded.ravel(), prepend=np.int8(0))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    roots = _join(len(starts), *_neighbours(starts, ends, stride))
    lengths, rows = ends - starts, starts // stride
    lefts = starts - rows * stride - 1
    areas = np.bincount(roots, lengths, len(starts)).astype(np.int64)
    boxes = np.tile(np.array([height, width, 0, 0]), (len(starts), 1))
    for side, places in enumerate((rows, lefts)):
        np.minimum.at(boxes[:, side], roots, places)
    for side, places in enumerate((rows + 1, lefts + lengths), 2):
        np.maximum.at(boxes[:, side], roots, places)
    order = np.argsort(-areas, kind="stable")[: np.count_nonzero(areas)]
    ranks = np.empty(len(starts), np.int32)
    ranks[order] = np.arange(len(order))
    labels = np.full(mask.shape, -1, np.int32)
    labels[mask] = np.repeat(ranks[roots], lengths)
    ordered = boxes[order]
    touching = (ordered[:, :2] == 0).any(axis=1) | (ordered[:, 2:] == mask.shape).any(axis=1)
    return Regions(labels, areas[order], ordered, touching)


def join_boxes(boxes: Counts) -> Box:
    """The box about boxes (N, 4)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _neighbours(starts: Counts, ends: Counts, stride: int) -> tuple[Counts, Counts]:
    """The pairs of runs that touch, the second in the row below the first."""
    first = np.searchsorted(ends, starts + stride, "left")
    counts = np.maximum(np.searchsorted(starts, ends + stride, "right") - first, 0)
    above = np.repeat(np.arange(len(starts)), counts)
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return above, np.repeat(first, counts) + offsets


def _join(count: int, one: Counts, other: Counts) -> Counts:
    """The least run of the region of each run, by the pairs of runs that touch."""
    roots = np.arange(count)
    while True:
        low, high = np.minimum(roots[one], roots[other]), np.maximum(roots[one], roots[other])
        if np.array_equal(low, high):
            return roots
        np.minimum.at(roots, high, low)
        while not np.array_equal(roots, shorter := roots[roots]):
            roots = shorter
