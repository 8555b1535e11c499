"""One model, all measures, each beside what real images get by the same protocol."""

from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from latent import Codes, draw_noise, draw_styles
from training.classifier import Classifier
from training.collapse import divergence
from training.data import ImageSet
from training.evaluate import BATCH, SEED, any_codes, recognised
from training.measures.distances import frechet, kernel
from training.measures.manifold import manifold
from training.measures.neighbours import nearest
from training.measures.parzen import log_likelihood
from training.measures.score import classification_accuracy
from training.model import Model
from training.run import Progress

IMAGES = 10_000
MANIFOLD_IMAGES = 5_000
PARZEN_TESTED = 2_000
NEAREST_IMAGES = 1_000


class Measures(BaseModel):
    """Figures of one set of images. `accuracy` and `score` are None where images have no asked class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fid: float
    kid: float
    precision: float
    recall: float
    density: float
    coverage: float
    log_likelihood: float
    sigma: float
    histogram: dict[str, float]
    class_kl: float
    confidence: float
    accuracy: float | None
    score: float | None
    nearest: float
    """median distance to the nearest training image"""


class Evaluation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    data: str
    images: int
    seed: int
    judge: str
    drawn: Measures
    real: Measures
    """real training images that pose as drawn ones"""


@dataclass(frozen=True)
class Real:
    """Real images in three parts that share none: to pose as drawn, to be known already, and to compare with."""

    posing: ImageSet
    known: ImageSet
    test: ImageSet

    @classmethod
    def split(cls, train: ImageSet, test: ImageSet) -> "Real":
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(SEED))
        cut = len(train) // 3
        return cls(_rows(train, order[:cut]), _rows(train, order[cut:]), test)


def evaluate(
    model: Model, real: Real, judge: Classifier, images: int, reference: Measures | None, progress: Progress
) -> Evaluation:
    """Measure `images` of the model's; real ones get the same unless `reference` is what they got before."""
    card = model.card
    count = min(images, len(real.test), len(real.posing))
    if reference is None:
        reference = _reference(real, judge, count, progress)
    drawn = torch.from_numpy(model.generate(any_codes(card.space, SEED, count), BATCH)).permute(0, 3, 1, 2)
    accuracy, score = None, None
    if card.space.classes:
        shares = [row.share for row in recognised(model, judge)]
        accuracy = sum(shares) / len(shares)
        score = classification_accuracy(labelled(model, judge, len(real.posing)), real.test, progress)
    return Evaluation(
        model=card.name,
        data=card.data.name,
        images=count,
        seed=SEED,
        judge=judge.protocol(),
        drawn=measure(drawn, real, judge, accuracy, score),
        real=reference,
    )


def _reference(real: Real, judge: Classifier, count: int, progress: Progress) -> Measures:
    agreement = (judge.labels(real.posing.images) == real.posing.labels).float().mean().item()
    score = classification_accuracy(real.posing, real.test, progress)
    return measure(_first(real.posing.images, count), real, judge, agreement, score)


def labelled(model: Model, judge: Classifier, count: int) -> ImageSet:
    """As many images of each class asked for by name."""
    space, card = model.card.space, model.card
    asked = np.arange(count) % len(space.classes)
    codes = Codes(draw_noise(space, SEED + 1, 0, count), space.one_hot(asked), draw_styles(space, SEED + 1, 0, count))
    images = torch.from_numpy(model.generate(codes, BATCH)).permute(0, 3, 1, 2)
    names = [code.name for code in space.classes]
    labels = torch.tensor([judge.classes.index(names[code]) for code in asked])
    return ImageSet(images, labels, judge.classes, card.data)


def measure(images: Tensor, real: Real, judge: Classifier, accuracy: float | None, score: float | None) -> Measures:
    """All measures of uint8 images (N, channels, H, W) against the real test set."""
    images = images.contiguous()
    test = _first(real.test.images, len(images))
    features, real_features = judge.features(images), judge.features(test)
    found = manifold(_first(real_features, MANIFOLD_IMAGES), _first(features, MANIFOLD_IMAGES))
    validation = _first(real.known.images, NEAREST_IMAGES)
    likelihood, sigma = log_likelihood(images, validation, _first(test, PARZEN_TESTED))
    best = judge.probabilities(images).max(1)
    shares = torch.bincount(best.indices, minlength=len(judge.classes)).double() / len(images)
    distances, _ = nearest(_first(images, NEAREST_IMAGES), real.known.images)
    return Measures(
        fid=frechet(real_features, features),
        kid=kernel(real_features, features),
        precision=found.precision,
        recall=found.recall,
        density=found.density,
        coverage=found.coverage,
        log_likelihood=likelihood,
        sigma=sigma,
        histogram=dict(zip(judge.classes, shares.tolist(), strict=True)),
        class_kl=divergence(shares),
        confidence=best.values.mean().item(),
        accuracy=accuracy,
        score=score,
        nearest=distances.median().item(),
    )


def _first(rows: Tensor, count: int) -> Tensor:
    return rows[:count]


def _rows(images: ImageSet, rows: Tensor) -> ImageSet:
    return ImageSet(images.images[rows], images.labels[rows], images.classes, images.card)
