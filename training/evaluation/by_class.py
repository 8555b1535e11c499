"""Asks an exported generator for each class by name, and has the judge look."""

from dataclasses import dataclass

import numpy as np
import torch

from latent import LatentSpace, draw_codes
from training.datasets.images import ImageSet
from training.export.model import Model
from training.measures.judge import Judge

IMAGES_PER_CLASS = 1000
SEED = 20_000
BATCH = 250


@dataclass(frozen=True)
class ClassResult:
    """What the judge says of the images of one class name."""

    name: str
    share: float
    """The share of the images that the judge gives this name."""
    confidence: float
    """The judge's mean probability for its own answers."""


def named_codes(space: LatentSpace, judge: Judge) -> list[int]:
    """The class codes that have the name of a class of the judge; a code that was found may stand for none."""
    return [place for place, code in enumerate(space.classes) if code.name in judge.classes]


def judge_classes(model: Model, judge: Judge) -> list[ClassResult]:
    """Draw 1,000 images of each class by name, with the noise and styles that the service draws."""
    return [_judge_class(model, judge, code) for code in named_codes(model.card.space, judge)]


def measure_asked_class(model: Model, judge: Judge) -> float:
    """The share of images that the judge gives the class that they were asked for, a mean over classes."""
    shares = [result.share for result in judge_classes(model, judge)]
    return sum(shares) / len(shares)


def draw_labelled(model: Model, judge: Judge, count: int, seed: int = SEED + 1) -> ImageSet:
    """Draw images with labels, as many of each class."""
    space, card = model.card.space, model.card
    codes = np.array(named_codes(space, judge))
    asked = codes[np.arange(count) % len(codes)]
    images = model.draw(draw_codes(space, seed, 0, count, asked), BATCH)
    names = [code.name for code in space.classes]
    labels = torch.tensor([judge.classes.index(names[code]) for code in asked])
    return ImageSet(images, labels, judge.classes, card.data)


def _judge_class(model: Model, judge: Judge, code: int) -> ClassResult:
    space = model.card.space
    name = space.classes[code].name
    codes = draw_codes(space, SEED + code, 0, IMAGES_PER_CLASS, np.full(IMAGES_PER_CLASS, code))
    best = judge.probabilities(model.draw(codes, BATCH)).max(1)
    share = (best.indices == judge.classes.index(name)).float().mean().item()
    return ClassResult(name, share, best.values.mean().item())
