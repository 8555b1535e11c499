import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from faussaire.plain import to_plain

dtypes = arrays.boolean_dtypes() | arrays.integer_dtypes() | arrays.unsigned_integer_dtypes() | arrays.floating_dtypes()
finite: dict[str, Any] = {"allow_nan": False, "allow_infinity": False}


@given(dtypes.flatmap(lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, max_dims=3), elements=finite)))
def test_an_array_comes_back_from_json_to_the_bit(array: np.ndarray[Any, Any]) -> None:
    back = json.loads(json.dumps(to_plain("noise", array), allow_nan=False))
    assert np.array_equal(np.array(back, array.dtype), array)


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(**finite) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_a_plain_value_stays_as_it_is(value: Any) -> None:
    assert to_plain("items", value) == value


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (object(), TypeError, "style must be made of numbers"),
        ({"slant": object()}, TypeError, "style.slant must be made of"),
        ([0, b"x"], TypeError, "style.1 must be made of"),
        (np.array([object()]), TypeError, "style must hold numbers; its dtype is object"),
        (np.zeros(2, "datetime64[s]"), TypeError, "style must hold numbers; its dtype is datetime64"),
        (np.array([np.inf]), ValueError, "style must be finite"),
        ([float("nan")], ValueError, "style.0 must be finite; it is nan"),
    ],
)
def test_a_value_that_json_cannot_hold_is_named(value: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        to_plain("style", value)
