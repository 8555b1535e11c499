import math
from collections.abc import Callable
from decimal import Decimal, localcontext
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from latent import elementary
from tests.latent.specification import bits, functions, rows_under

SPECIFIED = functions()
DIGITS = 80
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899862803482534211706798")
LAST = 1 - 2.0**-53
"""The largest number that is drawn."""

drawn = st.integers(0, 2**53 - 1).map(lambda k: k * 2.0**-53)
positive = st.floats(2.0**-1022, allow_infinity=False) | drawn.map(lambda u: 1 - u)
turns = st.floats(0, 1, exclude_max=True) | drawn
cosines = st.floats(-1, 1)

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def cos(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return elementary.cos_sin(angles)[0]


def sin(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    return elementary.cos_sin(angles)[1]


def value(function: Function, argument: float) -> float:
    return float(function(np.array([argument]))[0])


def exact_sin(angle: Decimal) -> Decimal:
    """Of an angle in turns, in [0, 1), to 70 digits, by Taylor's series; exactly 0 at 0 and at 1/2."""
    with localcontext(prec=DIGITS):
        half, quarter = Decimal("0.5"), Decimal("0.25")
        x = 2 * PI * (angle if angle < quarter else half - angle if angle < 3 * quarter else angle - 1)
        term, total, k = x, x, 1
        while abs(term) > abs(total) * Decimal(10) ** -DIGITS:
            term *= -x * x / ((k + 1) * (k + 2))
            total += term
            k += 2
        return total


def exact_cos(angle: Decimal) -> Decimal:
    with localcontext(prec=DIGITS):
        return exact_sin((angle + Decimal("0.25")) % 1)


def assert_within(ulps: int, found: float, exact: Decimal) -> None:
    with localcontext(prec=DIGITS):
        assert abs(Decimal(found) - exact) <= ulps * Decimal(math.ulp(float(exact)))


@given(positive)
@example(LAST)
@example(2.0**-53)
@example(math.sqrt(0.5))
@example(math.nextafter(1, 2))
def test_the_logarithm_is_within_1_ulp(x: float) -> None:
    with localcontext(prec=DIGITS):
        exact = Decimal(x).ln()
    assert_within(1, value(elementary.ln, x), exact)


@given(turns)
@example(LAST)
@example(math.nextafter(0.125, 0))
@example(math.nextafter(0.5, 1))
def test_the_cosine_and_the_sine_are_within_2_ulp(angle: float) -> None:
    assert_within(2, value(cos, angle), exact_cos(Decimal(angle)))
    assert_within(2, value(sin, angle), exact_sin(Decimal(angle)))


@given(st.floats(-1, 1, exclude_min=True, exclude_max=True))
@example(math.nextafter(1, 0))
@example(math.nextafter(-1, 0))
@example(math.nextafter(0.5, 1))
@example(2.0**-60)
def test_the_arc_cosine_is_within_3_ulp(cosine: float) -> None:
    angle = value(elementary.arccos, cosine)
    with localcontext(prec=DIGITS):
        margin = 3 * Decimal(math.ulp(angle))
        below, above = max(Decimal(0), Decimal(angle) - margin), min(Decimal("0.5"), Decimal(angle) + margin)
        assert exact_cos(above) <= Decimal(cosine) <= exact_cos(below)  # the cosine falls


@given(positive, turns, cosines)
def test_the_page_computes_the_same_bits(x: float, angle: float, cosine: float) -> None:
    assert bits(value(elementary.ln, x)) == bits(SPECIFIED["ln"](x))
    found, expected = (value(cos, angle), value(sin, angle)), SPECIFIED["cos_sin"](angle)
    assert [*map(bits, found)] == [*map(bits, expected)]
    assert bits(value(elementary.arccos, cosine)) == bits(SPECIFIED["arccos"](cosine))


@pytest.mark.parametrize(
    "name", ["SQRT_HALF", "LN2_HIGH", "LN2_LOW", "TWO_PI", "TURNS_PER_RADIAN", "LN", "SIN", "COS", "ARCSIN"]
)
def test_the_page_has_the_constants(name: str) -> None:
    assert getattr(elementary, name) == SPECIFIED[name]


def test_the_constants_are_the_nearest_floats_and_the_coefficients_are_quotients_of_exact_numbers() -> None:
    with localcontext(prec=DIGITS):
        ln2 = Decimal(2).ln()
        assert float(Decimal("0.5").sqrt()) == elementary.SQRT_HALF
        assert float(ln2 - Decimal(elementary.LN2_HIGH)) == elementary.LN2_LOW
        assert float(2 * PI) == elementary.TWO_PI
        assert float(1 / (2 * PI)) == elementary.TURNS_PER_RADIAN
    assert int(elementary.LN2_HIGH * 2**32) == elementary.LN2_HIGH * 2**32
    assert max(math.factorial(17), math.comb(52, 26)) < 2**53


@pytest.mark.parametrize(("x", "logarithm"), rows_under("*x*", "ln *x*"))
def test_the_documented_logarithms(x: str, logarithm: str) -> None:
    assert bits(value(elementary.ln, float(x))) == logarithm


@pytest.mark.parametrize(("angle", "cosine", "sine"), rows_under("turns", "cosine", "sine"))
def test_the_documented_cosines_and_sines(angle: str, cosine: str, sine: str) -> None:
    assert bits(value(cos, float(angle))) == cosine
    assert bits(value(sin, float(angle))) == sine


@pytest.mark.parametrize(("cosine", "angle"), rows_under("cosine", "turns"))
def test_the_documented_arc_cosines(cosine: str, angle: str) -> None:
    assert bits(value(elementary.arccos, float(cosine))) == angle


def test_whole_quarters_are_exact() -> None:
    found = elementary.cos_sin(np.arange(4) / 4)
    assert [array.tolist() for array in found] == [[1, 0, -1, 0], [0, 1, 0, -1]]
    assert elementary.arccos(np.array([1.0, 0.0, -1.0])).tolist() == [0, 0.25, 0.5]
    assert value(elementary.ln, 1) == 0


@pytest.mark.parametrize("eighth", [1, 3, 5, 7])
def test_odd_eighths_are_the_square_root_of_a_half_but_for_1_ulp(eighth: int) -> None:
    for function in (cos, sin):
        np.testing.assert_array_max_ulp(np.abs(function(np.array([eighth / 8]))), np.sqrt([0.5]), maxulp=1)


def neighbours(argument: float) -> NDArray[np.float64]:
    """200 floats on each side, in order, a unit of the last place apart."""
    floats: NDArray[np.float64] = argument + np.spacing(argument) * np.arange(-200.0, 201.0)
    return floats


@pytest.mark.parametrize("edge", [1.0, math.sqrt(0.5), math.sqrt(2), 0.25, 2.0**-30])
def test_the_logarithm_never_falls_where_its_reduction_changes(edge: float) -> None:
    assert (np.diff(elementary.ln(neighbours(edge))) >= 0).all()


@pytest.mark.parametrize("eighth", range(1, 8))
def test_the_cosine_and_the_sine_do_not_jump_where_their_reduction_changes(eighth: int) -> None:
    for function in (cos, sin):
        steps = np.diff(function(neighbours(eighth / 8)))
        assert np.abs(steps).max() <= 2 * math.pi * np.spacing(eighth / 8) + 4 * np.spacing(0.9)


@pytest.mark.parametrize("edge", [0.5, -0.5])
def test_the_arc_cosine_does_not_jump_where_its_reduction_changes(edge: float) -> None:
    for one, other in pairwise(elementary.arccos(neighbours(edge))):
        assert other - one <= 3 * np.spacing(one)


def test_a_number_is_the_same_alone_and_in_any_array() -> None:
    # NumPy computes several numbers at a time, and those that are left over one by one.
    numbers = np.random.default_rng(0).random((37, 3))
    for function in (elementary.ln, cos, sin, elementary.arccos):
        together, alone = function(numbers[:, 1]), [value(function, number) for number in numbers[:, 1]]
        assert together.tolist() == alone


def test_no_numbers_have_no_results() -> None:
    none = np.zeros((0, 3))
    assert elementary.ln(none).shape == cos(none).shape == elementary.arccos(none).shape == (0, 3)
