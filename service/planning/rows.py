"""Images whose codes are given as arrays, a row each; the seed draws what is absent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latent import Codes, LatentSpace, ModelVersion, draw_classes, draw_noise, draw_styles
from latent.origin import truncate
from service.errors import InvalidNoise, StyleOutOfRange, UnknownClass
from service.planning.codes import check_index
from service.planning.plan import Plan
from service.planning.provenance import Source


@dataclass(slots=True)
class Rows:
    """Of N images; None for what the seed draws."""

    noise: NDArray[np.float32] | None = None
    """(N, Z)"""
    classes: NDArray[np.intp] | None = None
    """(N,): the place of each image's class."""
    styles: NDArray[np.float32] | None = None
    """(N, S)"""


def plan_rows(rows: Rows, version: ModelVersion, seed: int, index: int, count: int, truncation: float) -> Plan:
    """Plan the images `index` to `index + count` of one seed.

    Raises IndexTooLarge, InvalidNoise, UnknownClass and StyleOutOfRange.
    """
    space = version.card.space
    check_index(index, count)
    _check(rows, space)
    noise = draw_noise(space, seed, index, count) if rows.noise is None else rows.noise
    classes = draw_classes(space, seed, index, count) if rows.classes is None else rows.classes
    styles = draw_styles(space, seed, index, count) if rows.styles is None else rows.styles
    codes = Codes(truncate(noise, truncation), space.one_hot(classes), styles)
    sources = [Source(seed, index + k, truncation, rows.noise is not None) for k in range(count)]
    return Plan(version, seed, index, codes, sources)


def _check(rows: Rows, space: LatentSpace) -> None:
    """Raises InvalidNoise, UnknownClass and StyleOutOfRange. What is no number is in no range."""
    limit = space.noise_limit
    if rows.noise is not None and not (np.abs(rows.noise) <= limit).all():
        raise InvalidNoise("noise", f"Each number of the noise must be from {-limit:g} to {limit:g}.")
    if rows.classes is not None and not ((rows.classes >= 0) & (rows.classes < len(space.classes))).all():
        raise UnknownClass("classes", f"Each class must be a whole number from 0 to {len(space.classes) - 1}.")
    if rows.styles is not None:
        for code, values in zip(space.styles, rows.styles.T, strict=True):
            if not ((np.float32(code.low) <= values) & (values <= np.float32(code.high))).all():
                raise StyleOutOfRange("styles", f"'{code.name}' must be from {code.low:g} to {code.high:g}.")
