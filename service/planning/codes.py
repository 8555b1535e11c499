"""From the codes that a request asks for to codes in a model's latent space."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from latent import Codes, LatentSpace, draw_classes, draw_styles
from latent.origin import INDEX_LIMIT, noise_of
from service.errors import IndexTooLarge, InvalidBlend, InvalidNoise, StyleOutOfRange, UnknownClass, UnknownStyle
from service.planning.point import AskedCodes

ROUNDING = 1e-6
"""Weights whose sum is this near to 1 are used as they are: they were normalised before, and rounded to float32."""


def codes_of(asked: AskedCodes, space: LatentSpace, seed: int, index: int, count: int = 1) -> Codes:
    """The codes of the images `index` to `index + count` of `seed`.

    Raises UnknownClass, InvalidBlend, UnknownStyle, StyleOutOfRange, InvalidNoise and IndexTooLarge.
    """
    check_index(index, count)
    return Codes(
        _noise(asked, space, seed, index, count),
        _classes(asked, space, seed, index, count),
        _styles(asked, space, seed, index, count),
    )


def check_index(index: int, count: int) -> None:
    """Raises IndexTooLarge."""
    if index + count > INDEX_LIMIT:
        raise IndexTooLarge("index", f"The last image's index must be below {INDEX_LIMIT}.")


def class_weights(asked: str | int | dict[str, float], space: LatentSpace) -> NDArray[np.float32]:
    """The weight of each class: (C,), of sum 1. Raises UnknownClass and InvalidBlend."""
    if not isinstance(asked, dict):
        pure: NDArray[np.float32] = space.pure_classes[class_place(asked, space)]
        return pure
    weights = np.zeros(len(space.classes))
    for name, weight in asked.items():
        weights[class_place(name, space)] = weight
    total = math.fsum(weights)  # NumPy's sum adds in an order that may differ between machines
    if total == 0:
        raise InvalidBlend("class", "At least one class of a blend must have a weight above 0.")
    return (weights if abs(total - 1) < ROUNDING else weights / total).astype(np.float32)


def class_place(asked: str | int, space: LatentSpace) -> int:
    """The place of a class in the space, from its name or place. Raises UnknownClass."""
    place = _place(asked, space.class_places)
    if place is not None:
        return place
    if not space.classes:
        raise UnknownClass("class", "This model has no class codes; leave 'class' out.")
    names = ", ".join(space.class_places)
    raise UnknownClass("class", f"Choose one of: {names}; or a number below {len(space.classes)}.")


def style_values(style: list[float] | dict[str, float] | None, space: LatentSpace) -> dict[int, float]:
    """The asked value of each style code, by the code's place. Raises UnknownStyle and StyleOutOfRange."""
    if not style:
        return {}
    if isinstance(style, dict):
        asked = [(name, style_place(name, space), value) for name, value in style.items()]
    elif len(style) <= len(space.styles):
        asked = [(str(place), place, value) for place, value in enumerate(style)]
    else:
        raise _unknown_style(space)
    for key, place, value in asked:
        check_style(f"style.{key}", space, place, value)
    return {place: value for _, place, value in asked}


def style_place(asked: str | int, space: LatentSpace) -> int:
    """The place of a style code in the space, from its name or place. Raises UnknownStyle."""
    place = _place(asked, space.style_places)
    if place is None:
        raise _unknown_style(space)
    return place


def _place(asked: str | int, places: Mapping[str, int]) -> int | None:
    if isinstance(asked, int):
        return asked if asked < len(places) else None
    return places.get(asked)


def check_style(field: str, space: LatentSpace, place: int, value: float) -> None:
    """Raises StyleOutOfRange with the `field` if the value is outside the range of the style code at `place`."""
    code = space.styles[place]
    # The service writes codes as float32, which may round the end of a range to a number just beyond it.
    if not code.low <= value <= code.high and not np.float32(code.low) <= value <= np.float32(code.high):
        raise StyleOutOfRange(field, f"'{code.name}' must be from {code.low:g} to {code.high:g}.")


def _unknown_style(space: LatentSpace) -> UnknownStyle:
    names = [code.name for code in space.styles]
    if not names:
        return UnknownStyle("style", "This model has no style codes; leave 'style' out.")
    return UnknownStyle("style", f"The model has {len(names)} style codes, in this order: {', '.join(names)}.")


def _noise(asked: AskedCodes, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    if asked.noise is not None:
        _check_noise(asked.noise, space)
    return noise_of(space, seed, index, count, asked.noise, asked.truncation)


def _check_noise(noise: list[float], space: LatentSpace) -> None:
    """Raises InvalidNoise."""
    if len(noise) != space.noise_size:
        raise InvalidNoise("noise", f"Give {space.noise_size} numbers, the model's noise size.")
    for place, value in enumerate(noise):
        if abs(value) > space.noise_limit:
            limit = space.noise_limit
            raise InvalidNoise(f"noise.{place}", f"Each number of the noise must be from {-limit:g} to {limit:g}.")


def _classes(asked: AskedCodes, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    if asked.class_ is None:
        return space.one_hot(draw_classes(space, seed, index, count))
    return class_weights(asked.class_, space)[None].repeat(count, 0)


def _styles(asked: AskedCodes, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    values = style_values(asked.style, space)
    if len(values) == len(space.styles):
        return np.array([[values[place] for place in range(len(values))]], np.float32).repeat(count, 0)
    styles = draw_styles(space, seed, index, count)
    for place, value in values.items():
        styles[:, place] = value
    return styles
