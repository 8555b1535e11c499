"""Frames any picture as the images of a data set are framed, so that a recogniser finds the drawing."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent import Framing, ImageShape, RecogniserCard
from service.errors import BlankImage
from service.reading.drawing import NOTHING, Drawing, Removed, find_drawing
from service.reading.edge import edge_frame
from service.reading.ground import LEAST_SIDE, Levels, border
from service.reading.ink import COARSEST, FAINT, GRAIN, measure_ink

Pixels = NDArray[np.uint8]

LARGEST = 1024
"""The longer side in pixels, to which larger pictures are reduced: a frame has some tens, and floats are large."""


@dataclass(frozen=True)
class Framed:
    pixels: Pixels
    """(H, W, channels)"""
    removed: tuple[Removed, ...] = ()
    """What else than the drawing was on the page."""


def frame(picture: Image.Image, card: RecogniserCard) -> Framed:
    """Lay the picture's drawing out in the card's frame. Raises BlankImage and UnclearImage.

    Grey frames are bright on dark, as MNIST and Fashion-MNIST are; pictures that are dark on bright are inverted. A
    picture of the frame's size is already laid out.
    """
    pixels = _flatten(picture, card.image.channels)  # (h, w, channels)
    if card.image.channels != 1:
        return _frame_colours(pixels, card)
    levels = pixels[:, :, 0]
    edge = edge_frame(levels) if min(levels.shape) < LEAST_SIDE else 0
    if edge:
        drawing = find_drawing(levels[edge:-edge, edge:-edge])
        return _framed(drawing, ("frame", *drawing.removed), card)
    if levels.shape == (card.image.height, card.image.width):
        ink = measure_ink(levels)
        if ink.levels.max() < FAINT:
            raise BlankImage("body", NOTHING)
        return Framed(pixels if ink.bright else 255 - pixels)
    # Grey paper becomes black; the drawing keeps its share of the range above the paper.
    drawing = find_drawing(levels)
    return _framed(drawing, drawing.removed, card)


def _framed(drawing: Drawing, removed: tuple[Removed, ...], card: RecogniserCard) -> Framed:
    drawn = np.rint(255 * drawing.ink[:, :, None]).astype(np.uint8)
    return Framed(_lay_out(drawn, drawing.ink, np.zeros(1), card.image, card.framing), removed)


def _frame_colours(pixels: Pixels, card: RecogniserCard) -> Framed:
    background = np.median(border(pixels), axis=0)
    ink = _ink(pixels, background)
    if ink.max() < FAINT:
        raise BlankImage("body", NOTHING)
    if pixels.shape[:2] == (card.image.height, card.image.width):
        return Framed(pixels)
    return Framed(_lay_out(pixels, ink, background, card.image, card.framing))


def _flatten(picture: Image.Image, channels: int) -> Pixels:
    """Its colours or its luminance, with transparent parts filled: (h, w, channels)."""
    mode = "L" if channels == 1 else "RGB"
    if not picture.has_transparency_data:
        flat = _reduce(picture if picture.mode == "L" else picture.convert("RGB"))
    else:
        drawn = _reduce(picture.convert("RGBA"))
        flat = Image.new("RGBA", drawn.size, _paper_for(drawn))
        flat.alpha_composite(drawn)
    pixels = np.asarray(flat.convert(mode))
    return pixels.reshape(*pixels.shape[:2], channels)


def _reduce(picture: Image.Image) -> Image.Image:
    factor = -(-max(picture.size) // LARGEST)
    return picture.reduce(factor) if factor > 1 else picture


def _paper_for(drawn: Image.Image) -> str:
    """Black or white: the one that differs more from the opaque pixels."""
    light, alpha = (np.asarray(drawn.convert(mode), np.float64) for mode in ("L", "LA"))
    opacity = alpha[:, :, 1]
    return "black" if (light * opacity).sum() > 127.5 * opacity.sum() else "white"


def _ink(pixels: Pixels, background: NDArray[np.float64]) -> Levels:
    """How far each pixel is from the background, from 0 to 1, and 0 if it may be noise: (h, w)."""
    away = np.abs(pixels.astype(np.float32) - background.astype(np.float32))
    ink = away.max(axis=2) / np.float32(255)
    grain = min(GRAIN * np.median(border(away)) / 255, COARSEST)
    return np.where(ink < grain, np.float32(0), ink)


def _lay_out(
    pixels: Pixels, ink: Levels, background: NDArray[np.float64], shape: ImageShape, framing: Framing
) -> Pixels:
    """Scale the box of the drawing to the frame's extent, and paste it at the centre."""
    box = _box(ink)
    height, width = _scaled_size(ink[box].shape, shape, framing.extent)
    content = _scale(pixels[box], height, width)
    middle = (height / 2, width / 2)
    if framing.centred_by == "mass":
        middle = _centre_of_mass(_scale(ink[box][:, :, None], height, width)[:, :, 0])
    top = _start(middle[0], height, shape.height)
    left = _start(middle[1], width, shape.width)
    framed = np.broadcast_to(np.rint(background), (shape.height, shape.width, shape.channels)).astype(np.uint8)
    framed[top : top + height, left : left + width] = np.rint(content)
    return framed


def _box(ink: Levels) -> tuple[slice, slice]:
    drawn = ink >= FAINT
    rows, columns = (np.flatnonzero(drawn.any(axis=axis)) for axis in (1, 0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _scaled_size(size: tuple[int, ...], shape: ImageShape, extent: int) -> tuple[int, int]:
    """Height and width. The longer is `extent`, or less if that does not fit. Only the ratio of `size` counts."""
    height, width = size
    longer = max(size)
    longest = min(extent, shape.height * longer // height, shape.width * longer // width)
    rounded = [max(1, (2 * side * longest + longer) // (2 * longer)) for side in size]
    return rounded[0], rounded[1]


def _scale(pixels: NDArray[Any], height: int, width: int) -> Levels:
    """Each new pixel is the mean of the area that it covers, which exactly undoes enlarging by a whole factor."""
    rows, columns = _coverage(pixels.shape[0], height), _coverage(pixels.shape[1], width)
    channels = [rows @ pixels[:, :, channel].astype(np.float32) @ columns.T for channel in range(pixels.shape[2])]
    return np.stack(channels, axis=2)


def _coverage(old: int, new: int) -> Levels:
    """The share of each new pixel that each old pixel covers: (new, old). Each row has the sum 1."""
    edges = np.arange(new + 1) * old / new
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return np.asarray(np.clip(overlap, 0, None) * new / old, np.float32)


def _centre_of_mass(ink: Levels) -> tuple[float, float]:
    """The centre as in MNIST: the mean row and column are 14 of 0 to 27, half a pixel beyond the middle."""
    rows, columns = ink.sum(axis=1), ink.sum(axis=0)
    return _mean_place(rows), _mean_place(columns)


def _mean_place(line: Levels) -> float:
    return float((line * np.arange(len(line))).sum() / line.sum())


def _start(middle: float, length: int, frame: int) -> int:
    """Where content of this length begins: its middle at the middle of the frame, as far as it fits."""
    # Half a pixel goes to the right, as in both data sets; rounding keeps the last bits of a sum out of it.
    start = math.floor(round(frame / 2 - middle, 3) + 0.5)
    return min(max(0, start), frame - length)
