"""The way from one point of the latent space to another, the same on every machine as `docs/noise.md` specifies it."""

import math

import numpy as np
from numpy.typing import NDArray

from latent.elementary import arccos, cos_sin
from latent.space import Codes, LatentSpace

PARALLEL = 1e-6
"""The sine of an angle below which two vectors are as good as parallel: no arc of a sphere between them is known."""


def between(space: LatentSpace, start: Codes, end: Codes, count: int) -> Codes:
    """`count` points, 2 at least, of which `start` and `end`, one row each, are the first and the last to the bit.

    Noise goes along a sphere's arc and is clipped to what may be given; class weights and styles go straight.
    """
    shares = np.arange(count) / (count - 1)
    noise = np.clip(slerp(start.noise[0], end.noise[0], shares), -space.noise_limit, space.noise_limit)
    way = Codes(
        noise.astype(np.float32),
        _straight(start.classes[0], end.classes[0], shares).astype(np.float32),
        _straight(start.styles[0], end.styles[0], shares).astype(np.float32),
    )
    return Codes.concatenate([start, way[1:-1], end])


def slerp(start: NDArray[np.float32], end: NDArray[np.float32], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Vectors (N, Z) at shares (N,) of the way from `start` to `end` (Z,).

    The direction turns evenly (Shoemake 1985, section 3.3) and the length goes straight from one to the other. Between
    vectors that are nearly parallel or opposite, or where one is 0, the way is straight.
    """
    first, last = start.astype(np.float64), end.astype(np.float64)
    lengths = math.sqrt(_dot(first, first)), math.sqrt(_dot(last, last))
    if min(lengths) == 0:
        return _straight(start, end, shares)
    angle = arccos(np.clip([_dot(first, last) / (lengths[0] * lengths[1])], -1, 1))
    sine = _sin(angle)
    if sine[0] < PARALLEL:
        return _straight(start, end, shares)
    backward, forward = _sin((1 - shares) * angle)[:, None], _sin(shares * angle)[:, None]
    turned = backward * (first / lengths[0]) + forward * (last / lengths[1])
    along = (1 - shares) * lengths[0] + shares * lengths[1]
    way: NDArray[np.float64] = along[:, None] * turned / sine
    return way


def _dot(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Of float32 numbers, whose products are exact in float64; so the sum is rounded once, whatever the machine."""
    return math.fsum(one * other)


def _sin(turns: NDArray[np.float64]) -> NDArray[np.float64]:
    return cos_sin(turns)[1]


def _straight(start: NDArray[np.float32], end: NDArray[np.float32], shares: NDArray[np.float64]) -> NDArray[np.float64]:
    first, last = start.astype(np.float64), end.astype(np.float64)
    return first + np.outer(shares, last - first)
