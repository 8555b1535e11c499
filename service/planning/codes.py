"""The codes that a request means in a model's latent space."""

import numpy as np
from numpy.typing import NDArray

from latent import Codes, LatentSpace, draw_classes, draw_noise, draw_styles
from service.api.fields import INDEX_LIMIT, Asked
from service.errors import IndexTooLarge, InvalidBlend, InvalidNoise, StyleOutOfRange, UnknownClass, UnknownStyle

ROUNDING = 1e-6
"""Weights whose sum is as near to 1 were normalised before, and rounded to float32: they stay as they are."""


def codes_of(asked: Asked, space: LatentSpace, seed: int, index: int, count: int = 1) -> Codes:
    """The codes of the images `index` to `index + count` of `seed`.

    Raises UnknownClass, InvalidBlend, UnknownStyle, StyleOutOfRange, InvalidNoise and IndexTooLarge.
    """
    if index + count > INDEX_LIMIT:
        raise IndexTooLarge("index", f"The last image's index must be below {INDEX_LIMIT}.")
    return Codes(
        _noise(asked, space, seed, index, count),
        _classes(asked, space, seed, index, count),
        _styles(asked, space, seed, index, count),
    )


def class_weights(asked: str | int | dict[str, float], space: LatentSpace) -> NDArray[np.float32]:
    """The weight of each class, of shape (C,) and of sum 1. Raises UnknownClass and InvalidBlend."""
    weights = np.zeros(len(space.classes))
    for name, weight in (asked if isinstance(asked, dict) else {asked: 1.0}).items():
        weights[class_place(name, space)] = weight
    total = weights.sum()
    if total == 0:
        raise InvalidBlend("class", "At least one class of a blend must have a weight above 0.")
    return (weights if abs(total - 1) < ROUNDING else weights / total).astype(np.float32)


def class_place(asked: str | int, space: LatentSpace) -> int:
    """Raises UnknownClass."""
    names = [code.name for code in space.classes]
    if not names:
        raise UnknownClass("class", "This model has no class codes; leave 'class' out.")
    if isinstance(asked, int) and asked < len(names):
        return asked
    if asked not in names:
        raise UnknownClass("class", f"Choose one of: {', '.join(names)}; or a number below {len(names)}.")
    return names.index(str(asked))


def asked_styles(style: list[float] | dict[str, float] | None, space: LatentSpace) -> dict[int, float]:
    """The value of each style code that was asked for, by its place. Raises UnknownStyle and StyleOutOfRange."""
    names = [code.name for code in space.styles]
    if isinstance(style, dict):
        known = style.keys() <= set(names)
        asked = [(name, names.index(name), value) for name, value in style.items()] if known else []
    else:
        known = len(style or []) <= len(names)
        asked = [(str(place), place, value) for place, value in enumerate(style or [])] if known else []
    if not known:
        raise UnknownStyle("style", known_styles(space))
    for key, place, value in asked:
        check_style(f"style.{key}", space, place, value)
    return {place: value for _, place, value in asked}


def check_style(field: str, space: LatentSpace, place: int, value: float) -> None:
    """Raises StyleOutOfRange."""
    code = space.styles[place]
    if not code.low <= value <= code.high:
        raise StyleOutOfRange(field, f"'{code.name}' must be from {code.low:g} to {code.high:g}.")


def known_styles(space: LatentSpace) -> str:
    names = [code.name for code in space.styles]
    if not names:
        return "This model has no style codes; leave 'style' out."
    return f"The model has {len(names)} style codes, in this order: {', '.join(names)}."


def _noise(asked: Asked, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    if asked.noise is None:
        noise = draw_noise(space, seed, index, count)
    else:
        noise = np.tile(_given(asked.noise, space), (count, 1))
    return noise if asked.truncation == 1 else (noise * np.float64(asked.truncation)).astype(np.float32)


def _given(noise: list[float], space: LatentSpace) -> NDArray[np.float32]:
    if len(noise) != space.noise_size:
        raise InvalidNoise("noise", f"Give {space.noise_size} numbers, the model's noise size.")
    for place, value in enumerate(noise):
        if abs(value) > space.noise_limit:
            limit = space.noise_limit
            raise InvalidNoise(f"noise.{place}", f"Each number of the noise must be from {-limit:g} to {limit:g}.")
    return np.array(noise, np.float32)


def _classes(asked: Asked, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    if asked.class_ is None:
        return space.one_hot(draw_classes(space, seed, index, count))
    return np.tile(class_weights(asked.class_, space), (count, 1))


def _styles(asked: Asked, space: LatentSpace, seed: int, index: int, count: int) -> NDArray[np.float32]:
    styles = draw_styles(space, seed, index, count)
    for place, value in asked_styles(asked.style, space).items():
        styles[:, place] = value
    return styles
