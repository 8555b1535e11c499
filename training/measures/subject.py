"""What a measure looks at, and what it says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import torch
from torch import Tensor

from training.datasets.images import ImageSet
from training.measures.judge import Judge

DASH = "\N{EN DASH}"

Figures = Mapping[str, float]


class FeatureNetwork(Protocol):
    def features(self, images: Tensor) -> Tensor:
        """uint8 (N, channels, H, W) -> (N, F)"""


@dataclass(frozen=True)
class Real:
    """Real images in three parts that share none: to pose as drawn, to be known already, and to compare with."""

    posing: ImageSet
    known: ImageSet
    test: ImageSet

    @classmethod
    def split(cls, train: ImageSet, test: ImageSet, seed: int) -> "Real":
        order = torch.randperm(len(train), generator=torch.Generator().manual_seed(seed))
        cut = len(train) // 3
        return cls(train.rows(order[:cut]), train.rows(order[cut:]), test)


@dataclass(frozen=True)
class Glance:
    """Images, and the judge's features of as many real ones: enough for a measure in seconds."""

    images: Tensor
    """uint8 (N, channels, H, W)"""
    judge: Judge
    test_features: Tensor

    @cached_property
    def features(self) -> Tensor:
        return self.judge.features(self.images)

    @cached_property
    def probabilities(self) -> Tensor:
        """The judge's (N, C)."""
        return self.judge.probabilities(self.images)


@dataclass(frozen=True)
class Subject(Glance):
    """All that an evaluation measures images by."""

    real: Real
    inception: FeatureNetwork | None
    """None if the FID of Inception's features is not asked for."""
    asked: Callable[[], float] | None
    """The share of images that are of the class that they were asked for; None if images have no class."""
    labelled: Callable[[], ImageSet] | None
    """Images with labels, as many of each class."""

    @property
    def test_images(self) -> Tensor:
        """Real test images, as many as are measured."""
        return self.real.test.images[: len(self.images)]


@dataclass(frozen=True)
class Figure:
    """One number of a measure, and how people read it. Texts are formats over all figures by their keys."""

    key: str
    """In evaluation.json."""
    meaning: str = ""
    """For the table of one evaluation; a figure without a meaning is not in it."""
    text: str = "{:.4g}"
    """The figure in that table."""
    column: str = ""
    """Its heading in the table of many evaluations; a figure without one is not in it."""
    cell: str = ""
    """The figure in that table."""
    less_is_better: bool = False

    @property
    def title(self) -> str:
        return self.key.replace("_", " ")

    def show(self, figures: Mapping[str, float | None]) -> str:
        value = figures.get(self.key)
        return DASH if value is None else self.text.format(value)

    def show_in_column(self, figures: Mapping[str, float | None]) -> str:
        return DASH if figures.get(self.key) is None else self.cell.format_map(figures)


@dataclass(frozen=True)
class Measure:
    """Figures that are measured together."""

    place: int
    """Its place in tables: the lowest comes first."""
    stage: str
    """What a person who waits reads."""
    figures: tuple[Figure, ...]
    measure: Callable[[Subject], Figures]
    """Figures that the images cannot have are absent from the result."""
    glance: Callable[[Glance], Figures] | None = None
    """The same in seconds, for a run that is still in training; None if it takes longer."""
    judged: bool = False
    """Whether the figures mean nothing without a judge that has learned."""
