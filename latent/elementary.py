"""The elementary functions that the codes need, the same to the last bit on every machine.

A mathematical library chooses its own last bits. These functions use nothing but the sum, the difference, the product,
the quotient and the square root of IEEE 754's binary64, which have one correct result each, and steps that are exact.
Each operation is a NumPy ufunc of its own, so that no compiler can join a product and a sum into one rounding.

The ranges are reduced after Cody and Waite 1980, "Software Manual for the Elementary Functions"; Muller 2016,
"Elementary Functions", says why that is accurate. The logarithm has the form of Sun's fdlibm (1993). The polynomials
are Taylor's, whose coefficients are quotients of whole numbers: any language can compute them. `docs/noise.md`
specifies every step.
"""

from collections.abc import Sequence
from math import comb, factorial

import numpy as np
from numpy.typing import NDArray

Float64s = NDArray[np.float64]

SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
LN2_HIGH = float.fromhex("0x1.62e42feep-1")
"""The first 32 bits of ln 2: its product with an exponent is exact."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
"""ln 2 - LN2_HIGH"""
TWO_PI = float.fromhex("0x1.921fb54442d18p+2")
TURNS_PER_RADIAN = float.fromhex("0x1.45f306dc9c883p-3")

LN = [2 / (2 * k + 1) for k in range(1, 11)]
SIN = [(-1) ** k / factorial(2 * k + 1) for k in range(1, 9)]
COS = [(-1) ** k / factorial(2 * k) for k in range(1, 9)]
ARCSIN = [comb(2 * k, k) / (4**k * (2 * k + 1)) for k in range(1, 27)]


def ln(x: Float64s) -> Float64s:
    """The natural logarithm of positive normal numbers, within 1 ulp."""
    mantissa, exponent = np.frexp(x)
    small = mantissa < SQRT_HALF
    f = np.where(small, 2 * mantissa, mantissa) - 1
    e = (exponent - small).astype(np.float64)
    # ln(1 + f) = 2 artanh(s) = 2 s + s r = f - s (f - r)
    s = f / (2 + f)
    z = s * s
    r = z * _polynomial(LN, z)
    logarithm: Float64s = e * LN2_HIGH - ((s * (f - r) - e * LN2_LOW) - f)
    return logarithm


def cos_sin(turns: Float64s) -> tuple[Float64s, Float64s]:
    """The cosine and the sine of angles in turns, in [0, 1), each within 2 ulp."""
    quarter = np.floor((np.floor(8 * turns) + 1) / 2)
    x = (turns - quarter / 4) * TWO_PI  # the difference is exact, in [-1/8, 1/8]
    z = x * x
    cos, sin = 1 + z * _polynomial(COS, z), x + x * (z * _polynomial(SIN, z))
    odd = (quarter == 1) | (quarter == 3)
    cos, sin = np.where(odd, sin, cos), np.where(odd, cos, sin)
    return (
        np.where((quarter == 1) | (quarter == 2), -cos, cos),
        np.where((quarter == 2) | (quarter == 3), -sin, sin),
    )


def arccos(cosine: Float64s) -> Float64s:
    """The angles in turns, in [0, 1/2], of cosines in [-1, 1], within 3 ulp."""
    size = np.abs(cosine)
    near = size > 0.5
    y = np.where(near, np.sqrt((1 - size) / 2), size)
    z = y * y
    angle = (y + y * (z * _polynomial(ARCSIN, z))) * TURNS_PER_RADIAN
    acute = np.where(near, 2 * angle, 0.25 - angle)
    return np.where(cosine < 0, 0.5 - acute, acute)


def _polynomial(coefficients: Sequence[float], z: Float64s) -> Float64s:
    """c0 + c1 z + c2 z^2 + ... by Horner's rule, each product and each sum rounded."""
    total = np.full_like(z, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        total *= z
        total += coefficient
    return total
