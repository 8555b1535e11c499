import asyncio
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.errors import BodyTooLarge, QueueFull
from service.http import body
from service.http.asgi import Message, Receive
from service.http.body import Gone, UploadBudget


def sending(*parts: bytes) -> Receive:
    """A client that sends these parts, and then leaves."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1} for place, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


async def next_of(receive: Receive) -> Message:
    return await receive()


def test_a_body_is_read_whole_in_however_many_parts_it_comes() -> None:
    assert asyncio.run(body.read(sending(b"abc"), 3)) == b"abc"
    assert asyncio.run(body.read(sending(b"a", b"", b"bc"), 3)) == b"abc"


@pytest.mark.parametrize("parts", [[b"abcd"], [b"abc", b"d"], [b"ab", b"cd", b"ef"]])
def test_a_longer_body_is_refused_and_heard_out(parts: list[bytes]) -> None:
    receive = sending(*parts)
    with pytest.raises(BodyTooLarge, match="3 bytes"):
        asyncio.run(body.read(receive, 3))
    assert asyncio.run(next_of(receive))["type"] == "http.disconnect"  # the client reads the answer


def test_a_client_that_leaves_in_the_middle_of_its_body_is_gone() -> None:
    with pytest.raises(Gone):
        asyncio.run(body.read(sending(), 3))


@pytest.mark.parametrize(
    "declared", [None, "1000", "5000", "many"]
)  # what declares too much is refused later, by its length
def test_more_files_than_there_is_memory_for_are_refused(declared: str | None) -> None:
    budget = UploadBudget(longest=1_000, max_held=2_500)
    held = [budget.hold(declared) for _ in range(2)]
    with pytest.raises(QueueFull) as refused:
        budget.hold(declared)
    assert refused.value.headers["Retry-After"] == "1"
    budget.release(held[0])
    assert budget.hold(declared) == 1_000


def test_small_files_leave_room_for_many() -> None:
    budget = UploadBudget(longest=1_000, max_held=2_500)
    assert [budget.hold("50") for _ in range(50)] == [50] * 50


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_ten_megabytes_is_refused(client: TestClient, declared: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1_000_000

    content = b" " * 10_000_000 if declared else chunks()
    response = client.post("/v1/images", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "65536 bytes" in response.json()["detail"]
