"""The head start: epochs in which only the recogniser learns, to read labels or the classes that an InfoGAN found."""

import math

IMAGES = 256
"""a step"""

FADE = 0.3
"""The most by which a view's brightness falls where nothing is labelled: how bright a garment is tells what it is."""

FULL_SPEED_UNTIL = 0.5
"""of the head start; from there the learning rate falls to 0 along a cosine"""


def pace(progress: float) -> float:
    """Return the learning rate as a share of the first one; `progress` in [0, 1] is the part that is over."""
    late = max(0.0, progress - FULL_SPEED_UNTIL) / (1 - FULL_SPEED_UNTIL)
    return (1 + math.cos(math.pi * late)) / 2


def batches(step: int, batch: int, per_epoch: int, head_start: int) -> int:
    """Return how many batches one step takes: in the head start, `IMAGES` images' worth, at most an epoch."""
    if step >= head_start:
        return 1
    return min(max(1, IMAGES // batch), per_epoch - step % per_epoch)
