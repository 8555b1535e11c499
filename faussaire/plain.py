"""From what Python and NumPy have to what JSON has."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latent.decimals import shortest


def to_plain(name: str, value: Any) -> Any:
    """The same value without NumPy's types.

    Raises TypeError and ValueError with the `name` of the argument, if JSON cannot hold the value.
    """
    if isinstance(value, np.ndarray | np.generic):
        return _from_numpy(name, value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(f"{name}.{key}", member) for key, member in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [to_plain(f"{name}.{place}", member) for place, member in enumerate(value)]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{name} must be finite; it is {value}")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"{name} must be made of numbers, strings, lists and dicts, or of NumPy's; it is {type(value)}")


def _from_numpy(name: str, value: np.ndarray[Any, Any] | np.generic) -> Any:
    if value.dtype.kind not in "biufU":
        raise TypeError(f"{name} must hold numbers; its dtype is {value.dtype}")
    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ValueError(f"{name} must be finite; it has infinities or NaN")
    if isinstance(value, np.ndarray) and value.ndim:
        return [_from_numpy(f"{name}.{place}", member) for place, member in enumerate(value)]
    scalar = value[()] if isinstance(value, np.ndarray) else value
    return shortest(scalar.item()) if isinstance(scalar, np.float32 | np.float16) else scalar.item()
