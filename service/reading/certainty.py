"""How sure a reading is: how much weight its class keeps when the drawing is moved, turned and scaled a little."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.inference.recogniser import Recogniser

SHIFT, SCALE, TURN = 1.0, 0.1, 10.0
"""Pixels, share of the size, and degrees: within these, one drawing stays what it is."""

NUDGES = (
    *((0.0, 1.0, across, down) for across, down in ((SHIFT, 0), (-SHIFT, 0), (0, SHIFT), (0, -SHIFT))),
    *((0.0, 1 + scale, 0.0, 0.0) for scale in (SCALE, -SCALE)),
    *((turn, 1.0, 0.0, 0.0) for turn in (TURN, -TURN)),
)
"""Angle, scale, and shift to the right and down."""


def certainty(recogniser: Recogniser, image: NDArray[np.uint8]) -> float | None:
    """The mean weight of the class that an image (H, W, channels) shows, over the image and its nudges."""
    weights = recogniser.recognise(image).classes
    if not len(weights):
        return None
    best = weights.argmax()
    nudged = [recogniser.recognise(_nudge(image, *nudge)).classes[best] for nudge in NUDGES]
    return float(np.mean([weights[best], *nudged]))


def _nudge(image: NDArray[np.uint8], angle: float, scale: float, across: float, down: float) -> NDArray[np.uint8]:
    picture = Image.fromarray(image[:, :, 0] if image.shape[2] == 1 else image)
    turn = np.deg2rad(angle)
    cosine, sine = np.cos(turn) / scale, np.sin(turn) / scale
    x, y = picture.width / 2, picture.height / 2
    right, low = x + across, y + down
    rows = (cosine, sine, x - cosine * right - sine * low), (-sine, cosine, y + sine * right - cosine * low)
    places = (*rows[0], *rows[1])
    moved = picture.transform(picture.size, Image.Transform.AFFINE, places, Image.Resampling.BILINEAR)
    return np.asarray(moved).reshape(image.shape)
