"""One model, all measures, each beside what real images get by the same protocol."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict
from torch import Tensor

from latent import draw_codes
from training.datasets.images import ImageSet
from training.evaluation.by_class import BATCH, SEED, recognised
from training.export.model import Model
from training.loop.run import Run
from training.measures.distances import frechet, kernel
from training.measures.histogram import divergence
from training.measures.inception import Inception
from training.measures.judge import Judge
from training.measures.manifold import manifold
from training.measures.neighbours import nearest
from training.measures.parzen import log_likelihood
from training.measures.score import classification_accuracy

IMAGES = 10_000
MANIFOLD_IMAGES = 5_000
PARZEN_TESTED = 2_000
NEAREST_IMAGES = 1_000

RARE = 0.01
"""Of real images, so many are nearer to a training image than what counts as a copy."""


def _nothing(_: str) -> None:
    pass


class Measures(BaseModel):
    """Figures of one set of images. `accuracy` and `score` are None where images have no asked class."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    fid: float
    kid: float
    inception_fid: float | None
    """None where it was not asked for"""
    precision: float
    recall: float
    density: float
    coverage: float
    log_likelihood: float
    log_likelihood_error: float
    """standard error, nats"""
    sigma: float
    histogram: dict[str, float]
    class_kl: float
    confidence: float
    accuracy: float | None
    score: float | None
    nearest: float
    """median distance to the nearest training image"""
    copies: float
    """share of images nearer to a training image than 99 % of real ones are"""


class Evaluation(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    data: str
    images: int
    asked: int
    """images that were asked for; more than were measured where there are not as many real ones"""
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
        return cls(train.rows(order[:cut]), train.rows(order[cut:]), test)


@dataclass(frozen=True)
class Protocol:
    """What measures, on how many images."""

    judge: Judge
    images: int = IMAGES
    inception: Inception | None = None
    say: Callable[[str], None] = _nothing
    """told of each measure as it begins"""


def evaluate(model: Model, real: Real, protocol: Protocol, reference: Measures | None) -> Evaluation:
    """Measure what the model draws; real images get the same unless `reference` is what they got before."""
    card, judge = model.card, protocol.judge
    count = min(protocol.images, len(real.test), len(real.posing))
    if reference is None:
        reference = _reference(real, protocol, count)
    protocol.say("drawing")
    drawn = model.draw(draw_codes(card.space, SEED, 0, count), BATCH)
    accuracy, score = None, None
    if card.space.classes:
        shares = [row.share for row in recognised(model, judge)]
        accuracy = sum(shares) / len(shares)
        protocol.say("accuracy of a classifier trained on drawn images")
        score = classification_accuracy(labelled(model, judge, len(real.posing)), real.test)
    return Evaluation(
        model=card.name,
        data=card.data.name,
        images=count,
        asked=protocol.images,
        seed=SEED,
        judge=judge.protocol(),
        drawn=measure(drawn, real, protocol, accuracy, score),
        real=reference,
    )


def is_fresh(run: Run, images: int) -> bool:
    """Whether a run was evaluated by so many images since its last checkpoint."""
    done = run.folder / "evaluation.json"
    newest = run.checkpoints()[-1:] or [run.folder]
    if not done.exists() or done.stat().st_mtime < newest[0].stat().st_mtime:
        return False
    return Evaluation.model_validate_json(done.read_text(encoding="utf-8")).asked == images


def stages(*, reference: bool, classes: bool, inception: bool) -> int:
    """How often `Protocol.say` is called."""
    of_images = 4 + inception
    return 1 + classes + of_images + (1 + of_images if reference else 0)


def _reference(real: Real, protocol: Protocol, count: int) -> Measures:
    agreement = (protocol.judge.labels(real.posing.images) == real.posing.labels).float().mean().item()
    protocol.say("accuracy of a classifier trained on real images")
    score = classification_accuracy(real.posing, real.test)
    return measure(_first(real.posing.images, count), real, protocol, agreement, score)


def labelled(model: Model, judge: Judge, count: int) -> ImageSet:
    """As many images of each class asked for by name."""
    space, card = model.card.space, model.card
    asked = np.arange(count) % len(space.classes)
    images = model.draw(draw_codes(space, SEED + 1, 0, count, asked), BATCH)
    names = [code.name for code in space.classes]
    labels = torch.tensor([judge.classes.index(names[code]) for code in asked])
    return ImageSet(images, labels, judge.classes, card.data)


def measure(images: Tensor, real: Real, protocol: Protocol, accuracy: float | None, score: float | None) -> Measures:
    """All measures of uint8 images (N, channels, H, W) against the real test set."""
    images, judge, say = images.contiguous(), protocol.judge, protocol.say
    test = _first(real.test.images, len(images))
    say("Frechet and kernel distance")
    features, real_features = judge.features(images), judge.features(test)
    fid, kid = frechet(real_features, features), kernel(real_features, features)
    inception_fid = None
    if protocol.inception is not None:
        say("Frechet distance of Inception's features")
        inception_fid = frechet(protocol.inception.features(test), protocol.inception.features(images))
    say("precision, recall, density, coverage")
    found = manifold(_first(real_features, MANIFOLD_IMAGES), _first(features, MANIFOLD_IMAGES))
    say("likelihood")
    validation = _first(real.known.images, NEAREST_IMAGES)
    likelihood = log_likelihood(images, validation, _first(test, PARZEN_TESTED))
    say("nearest training images")
    usual, distances = (
        nearest(_first(some, NEAREST_IMAGES), real.known.images)[0] for some in (real.posing.images, images)
    )
    best = judge.probabilities(images).max(1)
    shares = torch.bincount(best.indices, minlength=len(judge.classes)).double() / len(images)
    return Measures(
        fid=fid,
        kid=kid,
        inception_fid=inception_fid,
        precision=found.precision,
        recall=found.recall,
        density=found.density,
        coverage=found.coverage,
        log_likelihood=likelihood.mean,
        log_likelihood_error=likelihood.error,
        sigma=likelihood.sigma,
        histogram=dict(zip(judge.classes, shares.tolist(), strict=True)),
        class_kl=divergence(shares),
        confidence=best.values.mean().item(),
        accuracy=accuracy,
        score=score,
        nearest=distances.median().item(),
        copies=(distances < usual.quantile(RARE)).float().mean().item(),
    )


def _first(rows: Tensor, count: int) -> Tensor:
    return rows[:count]
