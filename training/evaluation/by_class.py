"""Measures an exported generator, class by class, with the classifier."""

from dataclasses import dataclass

import numpy as np

from latent import Codes, draw_codes
from training.export.model import Model
from training.measures.judge import Judge

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


def recognised(model: Model, classifier: Judge) -> list[Recognised]:
    """Ask for 1,000 images of each class by name, with the noise and styles that the service would draw."""
    space = model.card.space
    return [
        _recognised(
            model,
            classifier,
            draw_codes(space, SEED + code, 0, IMAGES_PER_CLASS, np.full(IMAGES_PER_CLASS, code)),
            code,
        )
        for code in range(len(space.classes))
    ]


def _recognised(model: Model, classifier: Judge, codes: Codes, code: int) -> Recognised:
    name = model.card.space.classes[code].name
    images = model.draw(codes, BATCH)
    best = classifier.probabilities(images).max(1)
    wanted = classifier.classes.index(name)
    share = (best.indices == wanted).float().mean().item()
    return Recognised(name, share, best.values.mean().item())
