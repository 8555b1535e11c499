import asyncio

import pytest

from service.errors import QueueFull
from service.http.gate import Gate


def test_so_many_work_a_few_wait_in_line_and_the_rest_are_refused() -> None:
    async def scenario() -> None:
        gate = Gate(working=2, waiting=1)
        assert [gate.enter() for _ in range(3)] == [True, True, False]
        waiting = asyncio.create_task(gate.wait())
        await asyncio.sleep(0)
        with pytest.raises(QueueFull) as refused:
            await gate.wait()
        assert refused.value.headers["Retry-After"] == "1"
        gate.leave()
        await waiting
        assert not gate.enter()
        gate.leave()
        gate.leave()
        assert [gate.enter() for _ in range(3)] == [True, True, False]

    asyncio.run(scenario())


def test_the_line_moves_in_order() -> None:
    async def scenario() -> list[int]:
        gate, order = Gate(working=1, waiting=9), list[int]()
        gate.enter()

        async def work(number: int) -> None:
            await gate.wait()
            order.append(number)
            gate.leave()

        tasks = [asyncio.create_task(work(number)) for number in range(9)]
        await asyncio.sleep(0)
        gate.leave()
        await asyncio.gather(*tasks)
        assert gate.enter()
        return order

    assert asyncio.run(scenario()) == list(range(9))


@pytest.mark.parametrize("let_in", [False, True])
def test_a_client_that_leaves_the_line_leaves_its_place(let_in: bool) -> None:
    async def scenario() -> None:
        gate = Gate(working=1, waiting=1)
        gate.enter()
        leaving = asyncio.create_task(gate.wait())
        await asyncio.sleep(0)
        if let_in:
            gate.leave()  # the place is given to the one that leaves in the same moment
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        if not let_in:
            gate.leave()
        assert gate.enter()

    asyncio.run(scenario())
