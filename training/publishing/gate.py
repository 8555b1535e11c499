"""Whether a generator is no worse than another, by one protocol and within its noise."""

from dataclasses import dataclass
from math import hypot, sqrt
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent import draw_codes
from latent.card import recogniser_path
from training.datasets.images import ImageSet
from training.errors import Unfit
from training.evaluation.by_class import BATCH, IMAGES_PER_CLASS, SEED, recognised
from training.export.model import Model
from training.measures.distances import frechet
from training.measures.judge import Judge
from training.studies.seeds import Recogniser

ERRORS = 2.0
"""Standard errors of the difference by which a measure may be worse: two samples of one generator differ by more in one
of forty cases."""

RESAMPLED = 50
"""samples of a bootstrap"""

FID = "FID"
ASKED = "asked class"
"""share of drawn images that the judge gives the class which they were asked for by"""
READ = "class read"
"""share of real test images of which the recogniser reads the class"""


@dataclass(frozen=True)
class Measured:
    value: float
    error: float
    """standard error"""

    @classmethod
    def share(cls, share: float, count: int) -> "Measured":
        """Of so many images; as if two more had been one right and one wrong, since no share is free of error."""
        likely = (share * count + 1) / (count + 2)
        return cls(share, sqrt(likely * (1 - likely) / count))


Measures = dict[str, Measured]
"""By their names; one that a generator cannot have is absent."""


@dataclass(frozen=True)
class Compared:
    """One measure of the published generator and of the new one."""

    name: str
    published: Measured
    new: Measured | None

    @property
    def margin(self) -> float:
        """By how much the new one may be worse."""
        return ERRORS * hypot(self.published.error, 0.0 if self.new is None else self.new.error)

    @property
    def worse(self) -> bool:
        if self.new is None:
            return True
        sign = 1 if self.name == FID else -1
        return not sign * (self.new.value - self.published.value) <= self.margin  # NaN is worse


@dataclass(frozen=True)
class Protocol:
    """Measures generators of one data set, each by the codes that `faussaire evaluate` draws from."""

    judge: Judge
    test: ImageSet
    features: Tensor
    """of the real test images, as many as are drawn"""

    @classmethod
    def of(cls, judge: Judge, test: ImageSet, images: int) -> "Protocol":
        return cls(judge, test, judge.features(test.images[:images]))

    def measure(self, path: Path) -> Measures:
        """A generator's file, and the recogniser beside it. Raises InvalidModel and Unfit."""
        model = Model(path)
        names = [code.name for code in model.card.space.classes]
        if not set(names) <= set(self.judge.classes) or model.card.image != self.test.shape:
            raise Unfit(f"{path} does not draw images and classes of {self.test.card.name}; publish by another --name")
        drawn = model.draw(draw_codes(model.card.space, SEED, 0, len(self.features)), BATCH)
        measured = {FID: self._fid(self.judge.features(drawn))}
        if names:
            shares = [one.share for one in recognised(model, self.judge)]
            measured[ASKED] = Measured.share(sum(shares) / len(shares), len(shares) * IMAGES_PER_CLASS)
        if recogniser_path(path).exists():
            measured[READ] = Measured.share(self._read(path, names), len(self.test))
        return measured

    def _fid(self, features: Tensor) -> Measured:
        """Its error by a bootstrap over the drawn images (Efron 1979); the real ones are the same for all."""
        source = torch.Generator().manual_seed(SEED)
        count = len(features)
        samples = [torch.randint(count, (count,), generator=source) for _ in range(RESAMPLED)]
        error = float(np.std([frechet(self.features, features[rows]) for rows in samples], ddof=1))
        return Measured(frechet(self.features, features), error)

    def _read(self, path: Path, names: list[str]) -> float:
        codes = Recogniser(path)(self.test.images)[0].argmax(1)
        labels = np.array([self.judge.classes.index(name) for name in names])
        return float((labels[codes] == self.test.labels.numpy()).mean())


def compared(published: Measures, new: Measures) -> list[Compared]:
    """All that the published one has."""
    return [Compared(name, measured, new.get(name)) for name, measured in published.items()]


def draws_the_same(one: Model, other: Model) -> bool:
    """Whether two files are of the same weights: what they say of themselves may have another date."""
    mine, theirs = one.card.space, other.card.space
    if mine.noise_size != theirs.noise_size or len(mine.styles) != len(theirs.styles):
        return False
    if [code.name for code in mine.classes] != [code.name for code in theirs.classes]:
        return False
    codes = draw_codes(mine, SEED, 0, BATCH)
    return np.array_equal(one.generate(codes, BATCH), other.generate(codes, BATCH))
