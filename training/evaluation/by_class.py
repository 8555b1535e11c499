"""Measures an exported generator, class by class, with the classifier."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from latent import Codes, LatentSpace, draw_classes, draw_noise, draw_styles
from training.export.model import Model
from training.measures.judge import Classifier

IMAGES_PER_CLASS = 1000
SEED = 20_000
BATCH = 250


@dataclass(frozen=True)
class Recognised:
    """What the classifier makes of the images asked for by one class name."""

    name: str
    share: float
    """of the images that it calls by that name"""
    confidence: float
    """mean probability that it gives its own answer"""


def recognised(model: Model, classifier: Classifier) -> list[Recognised]:
    """Ask for 1,000 images of each class by name, with the noise and styles that the service would draw."""
    space = model.card.space
    return [
        _recognised(model, classifier, asked_codes(space, SEED + code, np.full(IMAGES_PER_CLASS, code)), code)
        for code in range(len(space.classes))
    ]


def any_codes(space: LatentSpace, seed: int, count: int) -> Codes:
    """Codes as the service draws them where nothing is asked for."""
    return asked_codes(space, seed, draw_classes(space, seed, 0, count))


def asked_codes(space: LatentSpace, seed: int, classes: NDArray[np.intp]) -> Codes:
    """Codes as the service draws them where these classes (N,) are asked for."""
    count = len(classes)
    return Codes(draw_noise(space, seed, 0, count), space.one_hot(classes), draw_styles(space, seed, 0, count))


def _recognised(model: Model, classifier: Classifier, codes: Codes, code: int) -> Recognised:
    name = model.card.space.classes[code].name
    images = model.draw(codes, BATCH)
    best = classifier.probabilities(images).max(1)
    wanted = classifier.classes.index(name)
    share = (best.indices == wanted).float().mean().item()
    return Recognised(name, share, best.values.mean().item())
