import asyncio
import os
import threading
from pathlib import Path

import pytest

from service.errors import QueueFull
from service.worker import Worker, usable_processors


class Held:
    """Work that stops until it is let go, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.entered = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> str:
        self.begun += 1
        self.entered.set()
        assert self.released.wait(30)
        return "done"


async def occupied(line: Worker, held: Held) -> "asyncio.Task[str]":
    """The line with its thread at work."""
    first = asyncio.create_task(line.run(held))
    assert await asyncio.to_thread(held.entered.wait, 30)
    return first


def test_whoever_comes_when_the_line_is_full_is_told_when_to_come_again() -> None:
    async def scenario() -> None:
        held = Held()
        with Worker("test", max_waiting=2) as line:
            working = [await occupied(line, held)]
            working += [asyncio.create_task(line.run(held)) for _ in range(2)]
            await asyncio.sleep(0)  # lets each task run up to its wait
            with pytest.raises(QueueFull) as raised:
                await line.run(held)
            assert raised.value.retry_after >= 1
            held.released.set()
            assert await asyncio.gather(*working) == ["done"] * 3
            assert await line.run(held) == "done"

    asyncio.run(scenario())


def test_the_event_loop_goes_on_while_the_line_works() -> None:
    async def scenario() -> None:
        held = Held()
        with Worker("test", max_waiting=2) as line:
            working = await occupied(line, held)
            await asyncio.sleep(0.01)
            assert not working.done()
            held.released.set()
            assert await working == "done"

    asyncio.run(scenario())


def test_work_that_fails_leaves_its_place() -> None:
    def fail() -> None:
        raise ValueError("broken")

    async def scenario() -> None:
        with Worker("test", max_waiting=0) as line:
            for _ in range(3):
                with pytest.raises(ValueError, match="broken"):
                    await line.run(fail)

    asyncio.run(scenario())


def test_who_leaves_the_line_is_not_worked_for_and_leaves_a_place() -> None:
    async def scenario() -> None:
        held, gone = Held(), Held()
        with Worker("test", max_waiting=1) as line:
            working = await occupied(line, held)
            leaving = asyncio.create_task(line.run(gone))
            await asyncio.sleep(0)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
            staying = asyncio.create_task(line.run(held))
            await asyncio.sleep(0)
            held.released.set()
            assert [await working, await staying] == ["done"] * 2
        assert gone.begun == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("quota", "processors"), [("max 100000", 64), ("150000 100000", 2), ("50000 100000", 1), ("9900000 100000", 64)]
)
def test_processors_that_a_container_may_not_use_are_not_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quota: str, processors: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(64)), raising=False)
    path = tmp_path / "cpu.max"
    assert usable_processors(path) == 64  # no quota here
    path.write_text(quota + "\n", encoding="ascii")
    assert usable_processors(path) == processors
