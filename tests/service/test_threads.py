import asyncio
import gc
import threading
import weakref
from functools import partial

import pytest

from service.threads import Threads


def alive(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


def test_work_is_done_in_order_and_gives_its_result_or_its_error() -> None:
    async def scenario() -> None:
        threads, done = Threads("in order"), list[int]()

        def work(number: int) -> int:
            done.append(number)
            return number * number

        squares = await asyncio.gather(*(threads.run(partial(work, number)) for number in range(9)))
        assert squares == [number * number for number in range(9)]
        assert done == list(range(9))
        with pytest.raises(ZeroDivisionError):
            await threads.run(lambda: 1 // 0)
        threads.close()

    asyncio.run(scenario())
    assert not alive("in order")


def test_several_threads_work_at_the_same_time() -> None:
    async def scenario() -> None:
        threads, met = Threads("several", 3), threading.Barrier(3, timeout=30)
        await asyncio.gather(*(threads.run(met.wait) for _ in range(3)))  # none would get by alone
        threads.close()

    asyncio.run(scenario())


def test_work_that_was_cancelled_before_its_turn_is_not_done() -> None:
    async def scenario() -> None:
        threads, busy, done = Threads("cancelled"), threading.Event(), list[str]()
        first = threads.run(lambda: busy.wait(30))
        second = threads.run(lambda: done.append("second"))
        second.cancel()
        busy.set()
        await first
        await threads.run(lambda: done.append("third"))
        assert done == ["third"]
        threads.close()

    asyncio.run(scenario())


def test_a_thread_ends_when_nobody_can_give_it_work_and_keeps_nothing_of_its_last() -> None:
    class Large:
        """What a work refers to."""

    def freeing(freed: threading.Event) -> Large:
        large = Large()
        weakref.finalize(large, freed.set)
        return large

    async def scenario() -> None:
        threads, freed = Threads("dropped"), threading.Event()
        await threads.run(partial(repr, freeing(freed)))
        assert freed.wait(30)
        del threads

    asyncio.run(scenario())
    gc.collect()
    for thread in alive("dropped"):
        thread.join(30)
    assert not alive("dropped")
