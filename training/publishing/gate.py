"""Decides whether a new generator is no worse than the published one, by one protocol and within its noise."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from latent import draw_codes
from latent.card import digest_of, recogniser_path
from latent.release import SHOWN_DIGITS
from training.datasets.images import ImageSet
from training.errors import Unfit
from training.evaluation import by_class
from training.evaluation.by_class import BATCH, SEED, measure_asked_class, named_codes
from training.export.model import Model, RecogniserModel
from training.measures.distances import frechet
from training.measures.judge import Judge
from training.progress import Display

ERRORS = 2.0
"""A measure may be worse by this many standard errors of the difference: two samples of one generator differ by more in
one case of forty."""

RESAMPLED = 50
"""Samples of the bootstrap."""

FID = "FID"
ASKED = "asked class"
"""The share of drawn images that the judge gives the class that they were asked for."""
READ = "class read"
"""The share of real test images whose class the recogniser reads right."""


@dataclass(frozen=True)
class Measured:
    value: float
    error: float
    """Standard error."""

    @classmethod
    def of_share(cls, share: float, count: int) -> "Measured":
        """A share of `count` images. The error counts one more right and one more wrong: no share is free of error."""
        likely = (share * count + 1) / (count + 2)
        return cls(share, sqrt(likely * (1 - likely) / count))


Measures = dict[str, Measured]
"""By name. A measure that a generator cannot have is absent."""


@dataclass(frozen=True)
class Comparison:
    """One measure of the published generator and of the new one."""

    name: str
    published: Measured
    new: Measured | None

    @property
    def margin(self) -> float:
        """By how much the new generator may be worse."""
        return ERRORS * hypot(self.published.error, 0.0 if self.new is None else self.new.error)

    @property
    def worse(self) -> bool:
        if self.new is None:
            return True
        sign = 1 if self.name == FID else -1
        return not sign * (self.new.value - self.published.value) <= self.margin  # NaN is worse


@dataclass(frozen=True)
class Protocol:
    """Measures generators of one data set, from the codes that `faussaire evaluate` draws."""

    judge: Judge
    test: ImageSet
    features: Tensor
    """The judge's features of the real test images, as many as are drawn."""

    @classmethod
    def of(cls, judge: Judge, test: ImageSet, images: int) -> "Protocol":
        return cls(judge, test, judge.features(test.images[:images]))

    def measure(self, path: Path) -> Measures:
        """Measure a generator's file and the recogniser beside it. Raises InvalidModel and Unfit."""
        model = Model(path)
        names = [code.name for code in model.card.space.classes]
        if (self.judge.able and not self._knows(names, model)) or model.card.image != self.test.shape:
            raise Unfit(
                f"{path} does not draw images and classes of {self.test.card.name}; publish under another --name"
            )
        if not self.judge.able:
            return {}
        drawn = model.draw(draw_codes(model.card.space, SEED, 0, len(self.features)), BATCH)
        measured = {FID: self._fid(self.judge.features(drawn))}
        if named := named_codes(model.card.space, self.judge):
            share = measure_asked_class(model, self.judge)
            measured[ASKED] = Measured.of_share(share, len(named) * by_class.IMAGES_PER_CLASS)
        if named and recogniser_path(path).exists():
            measured[READ] = Measured.of_share(self._read(path, names), len(self.test))
        return measured

    def _knows(self, names: list[str], model: Model) -> bool:
        """Whether classes are those of the data; codes that were found may stand for none of them."""
        found = model.card.training.codes == "infogan"
        return set(names) <= set(self.judge.classes) or (found and bool(named_codes(model.card.space, self.judge)))

    def _fid(self, features: Tensor) -> Measured:
        """FID, with its error by a bootstrap over the drawn images (Efron 1979)."""
        source = torch.Generator().manual_seed(SEED)
        count = len(features)
        samples = [torch.randint(count, (count,), generator=source) for _ in range(RESAMPLED)]
        error = float(np.std([frechet(self.features, features[rows]) for rows in samples], ddof=1))
        return Measured(frechet(self.features, features), error)

    def _read(self, path: Path, names: list[str]) -> float:
        codes = RecogniserModel(path).read(self.test.images)[0].argmax(1)
        labels = np.array([self.judge.classes.index(name) if name in self.judge.classes else -1 for name in names])
        return float((labels[codes] == self.test.labels.numpy()).mean())


def compare(published: Measures, new: Measures) -> list[Comparison]:
    """Compare all measures that the published generator has."""
    return [Comparison(name, measured, new.get(name)) for name, measured in published.items()]


def draws_the_same(one: Model, other: Model) -> bool:
    """Whether two files have the same weights. Their cards may differ, for example in the date."""
    mine, theirs = one.card.space, other.card.space
    if mine.noise_size != theirs.noise_size or len(mine.styles) != len(theirs.styles):
        return False
    if [code.name for code in mine.classes] != [code.name for code in theirs.classes]:
        return False
    codes = draw_codes(mine, SEED, 0, BATCH)
    return np.array_equal(one.generate(codes, BATCH), other.generate(codes, BATCH))


def measure_all(protocol: Protocol, files: Sequence[Path], display: Display) -> list[Measures]:
    """Measure generators' files one after the other, with a bar. Raises InvalidModel and Unfit."""
    measured = []
    with display.stages("measuring", len(files)) as say:
        for path in files:
            say(f"{path.name}, {digest_of(path)[:SHOWN_DIGITS]}")
            measured.append(protocol.measure(path))
    return measured


def find_equal(new: Path, files: Iterable[Path]) -> Path | None:
    """The first of some generators' files that draws the same as a new one."""
    model = Model(new)
    return next((path for path in files if draws_the_same(Model(path), model)), None)
