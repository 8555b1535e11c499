"""Numbers as JSON has them."""

import numpy as np


def shortest(value: np.float32) -> float:
    """The number with the fewest digits that is this float32: 0.3, not 0.30000001192092896.

    A code at the end of its range, which float32 may round beyond it, is so written as it was asked for.
    """
    short = float(str(value))
    return short if np.float32(short) == value else float(value)
