import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import pytest

from service.registry import watch
from service.registry.watch import Watch


class Looks:
    """Counts looks, each of which says whether to look again soon; a test waits until there were so many."""

    def __init__(self, *moving: bool) -> None:
        self._moving = list(moving)
        self._counted = asyncio.Condition()
        self.count = 0

    async def __call__(self) -> bool:
        async with self._counted:
            self.count += 1
            self._counted.notify_all()
        return self._moving.pop(0) if self._moving else False

    async def reach(self, count: int) -> None:
        async with self._counted:
            await asyncio.wait_for(self._counted.wait_for(lambda: self.count >= count), 30)


def watching(looks: Looks, seconds: float, scenario: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        async with Watch(looks, seconds):
            await scenario()

    asyncio.run(run())


def hang_up() -> None:
    os.kill(os.getpid(), signal.SIGHUP)


def test_it_looks_every_so_often() -> None:
    looks = Looks()
    watching(looks, 0.001, lambda: looks.reach(5))


def test_a_look_that_fails_is_told_of_and_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    looks = Looks()

    async def failing() -> bool:
        await looks()
        raise MemoryError

    async def run() -> None:
        async with Watch(failing, 0.001):
            await looks.reach(3)

    asyncio.run(run())
    assert "the service keeps its models" in caplog.text


def test_without_an_interval_it_looks_when_it_is_told_to_and_not_before() -> None:
    looks = Looks()

    async def scenario() -> None:
        await asyncio.sleep(0.05)
        assert looks.count == 0
        for told in range(1, 4):
            hang_up()
            await looks.reach(told)
        await asyncio.sleep(0.05)
        assert looks.count == 3

    watching(looks, 0, scenario)


@pytest.mark.parametrize("seconds", [0, 3_600])
def test_it_looks_again_soon_while_something_may_be_changing(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    monkeypatch.setattr(watch, "SOON", 0.001)
    looks = Looks(True, True, False)

    async def scenario() -> None:
        hang_up()
        await looks.reach(3)
        await asyncio.sleep(0.05)
        assert looks.count == 3

    watching(looks, seconds, scenario)


def test_the_signal_is_as_it_was_once_nothing_is_watched() -> None:
    before = signal.getsignal(signal.SIGHUP)
    watching(Looks(), 0, lambda: asyncio.sleep(0))
    assert signal.getsignal(signal.SIGHUP) == before
