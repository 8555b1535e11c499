"""A file as runs of blocks whose lengths are known beforehand, so that any part of it can be written alone."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
"""(N, H, W, channels)"""

NONE = range(0)
NO_IMAGES: Images = np.zeros((0, 1, 1, 1), np.uint8)


class Part(NamedTuple):
    """Some bytes of a file in a row: those of one block from `start` to `stop`."""

    items: range
    """What must be drawn for them; empty if nothing must."""
    start: int
    stop: int | None
    block: Callable[[Images], bytes]
    """All bytes of the block, from the images of the items."""

    def write(self, images: Images) -> bytes:
        return self.block(images)[self.start : self.stop]


@dataclass(frozen=True)
class Run:
    """Items in a row, `step` of them in a block; the last block may have fewer. `head` stands before the first."""

    items: range
    step: int
    size_of: Callable[[int], int]
    """The bytes of a block, from the number of its items. Where a file's length is not known, this is not asked."""
    write: Callable[[range, Images], bytes]
    """The bytes of a block, from its items and their images."""
    draws: bool = False
    """Whether the images are needed; those of a run that needs none are empty."""
    head: bytes = b""

    @property
    def size(self) -> int:
        full, rest = divmod(len(self.items), self.step)
        return len(self.head) + full * self.size_of(self.step) + (self.size_of(rest) if rest else 0)

    def parts(self) -> Iterator[Part]:
        """All of it."""
        return self._from(0)

    def cut(self, start: int, stop: int) -> Iterator[Part]:
        """Its bytes from `start` to `stop`, by the blocks that they touch."""
        if not self.items:
            yield from (part._replace(start=start, stop=stop) for part in self.parts())
            return
        for block in self._touched(start, stop):
            offset = len(self.head) + block * self.size_of(self.step) if block else 0
            yield next(self._from(block))._replace(start=max(0, start - offset), stop=stop - offset)

    def drawn(self, start: int, stop: int) -> int:
        """How many images its bytes from `start` to `stop` need."""
        if not self.draws or not self.items:
            return 0
        touched = self._touched(start, stop)
        return min(touched.stop * self.step, len(self.items)) - touched.start * self.step

    def _touched(self, start: int, stop: int) -> range:
        """The numbers of the blocks that have some of these bytes. The head is the first one's."""
        full, last = self.size_of(self.step), (len(self.items) - 1) // self.step
        first, end = (max(0, byte - len(self.head)) // full for byte in (start, stop - 1))
        return range(min(first, last), min(end, last) + 1)

    def _from(self, block: int) -> Iterator[Part]:
        """The blocks from this one on. The head stands alone if there are no items."""
        if not self.items and self.head:
            yield Part(NONE, 0, None, lambda _: self.head)
        for first in range(block * self.step, len(self.items), self.step):
            yield self._block(self.items[first : first + self.step], b"" if first else self.head)

    def _block(self, items: range, head: bytes) -> Part:
        return Part(items if self.draws else NONE, 0, None, lambda images: head + self.write(items, images))


def once(size: int, write: Callable[[], bytes]) -> Run:
    """Bytes that are written at once, and not before they are needed."""
    return Run(range(1), 1, lambda _: size, lambda _, __: write())


def parts(runs: Iterable[Run]) -> Iterator[Part]:
    """All of a file that is these runs."""
    return (part for run in runs for part in run.parts())


def cut(runs: Iterable[Run], start: int, stop: int) -> Iterator[Part]:
    """The bytes from `start` to `stop` of a file that is these runs."""
    return (part for run, first, end in _within(runs, start, stop) for part in run.cut(first, end))


def drawn(runs: Iterable[Run], start: int, stop: int) -> int:
    """How many images the bytes from `start` to `stop` of the file need."""
    return sum(run.drawn(first, end) for run, first, end in _within(runs, start, stop))


def _within(runs: Iterable[Run], start: int, stop: int) -> Iterator[tuple[Run, int, int]]:
    """The runs that have some of these bytes, and which of their own bytes these are."""
    offset = 0
    for run in runs:
        size = run.size
        if offset >= stop:
            return
        if offset + size > start:
            yield run, max(0, start - offset), min(size, stop - offset)
        offset += size
