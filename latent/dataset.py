"""A labelled data set as a function of a seed: which codes its items have, and which of them a shard holds."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from latent.noise import draw_classes, draw_noise, draw_styles
from latent.space import Codes, LatentSpace

Balance = Literal["even", "drawn"]
"""Classes in turn, so that their counts differ by one at most; or each drawn by the seed, as they come."""

BLOCK = 256
"""items that are in memory at a time"""

TEST_START = 2**53
"""The first item to test on, behind all that a data set may have to train on."""
TRAIN_FOR_TEST = 6
"""Items to train on for one to test on, as in MNIST."""


@dataclass(frozen=True)
class Dataset:
    """Items `start` to `stop` of the data set of a seed: item *i* is the same in whichever shard it is asked for."""

    space: LatentSpace
    seed: int
    start: int
    stop: int
    balance: Balance = "even"
    styles: dict[int, float] = field(default_factory=dict)
    """Style codes that are the same for all, by their place in the space; the others are drawn for each item."""

    def __len__(self) -> int:
        return self.stop - self.start

    def blocks(self) -> Iterator[range]:
        """Its items, up to 256 at a time."""
        items = range(self.start, self.stop)
        return (items[first : first + BLOCK] for first in range(0, len(items), BLOCK))

    @property
    def tests(self) -> range:
        """Items of the same seed to test on, for a format that has a part for them: a sixth as many.

        Those of all shards are those of the whole data set.
        """
        first, last = (-(-end // TRAIN_FOR_TEST) for end in (self.start, self.stop))
        return range(TEST_START + first, TEST_START + last)

    def labels(self, items: range) -> NDArray[np.intp]:
        """Class codes (N,); all 0 in a space without classes."""
        if not self.space.classes:
            return np.zeros(len(items), np.intp)
        if self.balance == "even":
            return np.arange(items.start, items.stop) % len(self.space.classes)
        return draw_classes(self.space, self.seed, items.start, len(items))

    def style_codes(self, items: range) -> NDArray[np.float32]:
        """(N, S)"""
        styles = draw_styles(self.space, self.seed, items.start, len(items))
        for place, value in self.styles.items():
            styles[:, place] = value
        return styles

    def codes(self, items: range) -> Codes:
        noise = draw_noise(self.space, self.seed, items.start, len(items))
        return Codes(noise, self.space.one_hot(self.labels(items)), self.style_codes(items))


def shard(items: int, shards: int, number: int) -> range:
    """The items of one of several shards, from 0; sizes differ by one at most, and together they are all items."""
    if not 0 <= number < shards:
        raise ValueError(f"the shard must be from 0 to {shards - 1}")
    return range(items * number // shards, items * (number + 1) // shards)
