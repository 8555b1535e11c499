"""How long work shows that it goes on, without knowing the terminal."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

Progress = Callable[[int, dict[str, float]], None]
"""Called with the number of steps done, and the newest statistics."""

Say = Callable[[str], None]
"""Called with one line for the person who waits, or with the name of a stage as it begins."""

Advance = Callable[[int], None]
"""Called with the number of items that were just done."""


class Display(Protocol):
    """Shows bars and lines, as a terminal does."""

    def steps(self, title: str, total: int, batch: int) -> AbstractContextManager[Progress]:
        """A bar of `total` steps of `batch` images each."""

    def stages(self, title: str, total: int) -> AbstractContextManager[Say]:
        """A bar of `total` stages."""

    def items(self, title: str, total: int) -> AbstractContextManager[Advance]:
        """A bar of `total` items."""

    def say(self, line: str) -> None: ...


def say_nothing(_: str) -> None:
    """A `Say` that says nothing."""


def quiet(_: int, __: dict[str, float]) -> None:
    """A progress that shows nothing."""
