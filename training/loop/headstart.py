"""The head start: epochs in which only the recogniser learns, sorting real images into classes without labels."""

import math

IMAGES = 256
"""a step: the information in class codes is that of a batch's images, and wants many of each class"""

EVENNESS = 4.0
"""How often the entropy of the class codes counts in their information, at first. With 1, one code took two digits in
four seeds of five, and stayed so; in the end it must be 1, since classes need not be even."""

REMEMBERED = 0.01
"""share of a step in the mean by which heads are compared"""

FADE = 0.3
"""The most by which a view's brightness falls. By half, 60 % of Fashion-MNIST had the class of their code, and by this
68 %: how bright a garment is tells what it is."""

EVEN_UNTIL = 0.6
"""of the head start"""

FULL_SPEED_UNTIL = 0.5
"""of the head start; from there the learning rate falls to 0 along a cosine"""


def evenness(progress: float) -> float:
    """Return the weight of the entropy; `progress` in [0, 1] is the part of the head start that is over."""
    return 1 + (EVENNESS - 1) * max(0.0, 1 - progress / EVEN_UNTIL)


def pace(progress: float) -> float:
    """Return the learning rate as a share of the first one."""
    late = max(0.0, progress - FULL_SPEED_UNTIL) / (1 - FULL_SPEED_UNTIL)
    return (1 + math.cos(math.pi * late)) / 2


def batches(step: int, batch: int, per_epoch: int, head_start: int) -> int:
    """Return how many batches one step takes: in the head start, `IMAGES` images' worth, at most an epoch."""
    if step >= head_start:
        return 1
    return min(max(1, IMAGES // batch), per_epoch - step % per_epoch)
