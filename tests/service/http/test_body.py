import asyncio
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.errors import BodyTooLarge, QueueFull
from service.http.asgi import Message, Receive
from service.http.body import Body, Gone, UploadBudget


def sending(*parts: bytes) -> Receive:
    """A client that sends these parts, and then leaves."""
    messages: list[Message] = [
        {"type": "http.request", "body": part, "more_body": place < len(parts) - 1} for place, part in enumerate(parts)
    ]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


def breaking_off(part: bytes) -> Receive:
    """A client that sends this part of its body, and leaves."""
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True}]

    async def receive() -> Message:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    return receive


async def next_of(receive: Receive) -> Message:
    return await receive()


def test_a_body_is_read_whole_in_however_many_parts_it_comes() -> None:
    assert asyncio.run(Body(sending(b"abc"), 3).read()) == b"abc"
    assert asyncio.run(Body(sending(b"a", b"", b"bc"), 3).read()) == b"abc"


@pytest.mark.parametrize("parts", [[b"abcd"], [b"abc", b"d"], [b"ab", b"cd", b"ef"]])
def test_a_longer_body_is_refused_and_heard_out(parts: list[bytes]) -> None:
    receive = sending(*parts)
    with pytest.raises(BodyTooLarge, match="3 bytes"):
        asyncio.run(Body(receive, 3).read())
    assert asyncio.run(next_of(receive))["type"] == "http.disconnect"  # the client reads the answer


def test_a_client_that_leaves_in_the_middle_of_its_body_is_gone() -> None:
    with pytest.raises(Gone):
        asyncio.run(Body(sending(), 3).read())


def test_more_files_than_there_is_memory_for_are_refused() -> None:
    budget = UploadBudget(max_held=2_500)
    held = [Body(sending(b"a" * 500, b"b" * 500), 1_000, budget) for _ in range(2)]
    for body in held:
        asyncio.run(body.read())
    refused = Body(sending(b"a" * 500, b"b" * 500), 1_000, budget)
    with pytest.raises(QueueFull) as error:
        asyncio.run(refused.read())
    assert error.value.headers["Retry-After"] == "1"
    for body in (*held, refused):
        body.release()
    budget.hold(2_500)  # all of it is free again


def test_a_file_that_has_hardly_begun_holds_hardly_any_memory() -> None:
    budget = UploadBudget(max_held=100)
    for _ in range(25):
        with pytest.raises(Gone):
            asyncio.run(Body(breaking_off(b"4 of"), 1_000, budget).read())
    with pytest.raises(QueueFull):
        asyncio.run(Body(breaking_off(b"4 of"), 1_000, budget).read())


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_ten_megabytes_is_refused(client: TestClient, declared: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1_000_000

    content = b" " * 10_000_000 if declared else chunks()
    response = client.post("/v1/images", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "65536 bytes" in response.json()["detail"]
