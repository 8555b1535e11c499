import json

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from latent.decimals import shortest

floats = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(floats)
@example(float.fromhex("0x1.5c87fap-84"))  # its shortest decimal, read as a double first, is another float32
def test_a_number_comes_back_from_json_as_the_float32_that_it_was(value: float) -> None:
    number = np.float32(value)
    back = np.float32(json.loads(json.dumps(shortest(number.item()))))
    assert back.tobytes() == number.tobytes()


@given(st.decimals(-100, 100, places=4).map(float))
def test_a_number_of_few_digits_is_told_with_those(value: float) -> None:
    assert shortest(np.float32(value).item()) == value
