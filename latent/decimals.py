"""Numbers as JSON has them."""

from struct import Struct

_single = Struct("f").pack


def shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32: 0.3, not 0.30000001192092896. Nine always suffice.

    A code at the end of its range, which float32 may round beyond it, is so written as it was asked for.
    """
    wanted = _single(value)
    short = float(f"{value:.7g}")
    if _single(short) == wanted:
        return short
    short = float(f"{value:.8g}")
    return short if _single(short) == wanted else float(f"{value:.9g}")
