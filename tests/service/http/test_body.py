import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from service.http.body import UploadBudget

PATH = "/files"
PART = 100


class Client:
    """One request to the middleware, whose body comes when it is let go."""

    def __init__(self, path: str = PATH, declared: int | None = None) -> None:
        headers = [] if declared is None else [(b"content-length", str(declared).encode())]
        self.scope: Scope = {"type": "http", "path": path, "method": "POST", "headers": headers}
        self.answers: list[Message] = []
        self.parts = 3
        self.sending = asyncio.Event()

    async def receive(self) -> Message:
        await self.sending.wait()
        self.parts -= 1
        return {"type": "http.request", "body": b" " * PART, "more_body": self.parts > 0}

    async def send(self, message: Message) -> None:
        self.answers.append(message)

    @property
    def status(self) -> Any:
        return self.answers[0]["status"]


async def application(_: Scope, receive: Receive, send: Send) -> None:
    while (await receive())["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def failing(*_: object) -> None:
    raise ValueError("broken")


def budget() -> UploadBudget:
    return UploadBudget(application, {PATH: 1_000}, max_held=2_500)


async def started(middleware: UploadBudget, *clients: Client) -> "list[asyncio.Task[None]]":
    tasks = [asyncio.create_task(middleware(c.scope, c.receive, c.send)) for c in clients]
    await asyncio.sleep(0)  # lets each run up to its wait
    return tasks


async def finished(tasks: "list[asyncio.Task[None]]", *clients: Client) -> None:
    for client in clients:
        client.sending.set()
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("declared", [None, 1_000, 5_000])  # what declares too much is refused later, by its length
def test_more_files_than_there_is_memory_for_are_refused_with_retry_after(declared: int | None) -> None:
    async def scenario() -> None:
        middleware = budget()
        held = [Client(declared=declared) for _ in range(2)]
        tasks = await started(middleware, *held)
        refused = Client(declared=declared)
        await finished(await started(middleware, refused), refused)
        assert refused.status == 429
        assert (b"retry-after", b"1") in refused.answers[0]["headers"]
        assert refused.parts == 0  # it was heard out, so that it hears the answer
        await finished(tasks, *held)
        assert [client.status for client in held] == [200, 200]

    asyncio.run(scenario())


def test_small_files_leave_room_for_many() -> None:
    async def scenario() -> None:
        middleware = budget()
        clients = [Client(declared=50) for _ in range(50)]
        await finished(await started(middleware, *clients), *clients)
        assert {client.status for client in clients} == {200}

    asyncio.run(scenario())


def test_a_request_that_ends_leaves_its_memory_however_it_ends() -> None:
    async def scenario() -> None:
        middleware = UploadBudget(failing, {PATH: 1_000}, max_held=1_000)
        for _ in range(3):
            client = Client()
            client.sending.set()
            with pytest.raises(ValueError, match="broken"):
                await middleware(client.scope, client.receive, client.send)

    asyncio.run(scenario())


def test_other_requests_are_no_files() -> None:
    async def scenario() -> None:
        middleware = budget()
        held = [Client() for _ in range(2)]
        tasks = await started(middleware, *held)
        other = Client(path="/other")
        await finished(await started(middleware, other), other)
        assert other.status == 200
        await finished(tasks, *held)

    asyncio.run(scenario())


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_of_ten_megabytes_is_refused(client: TestClient, declared: bool) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(10):
            yield b" " * 1_000_000

    content = b" " * 10_000_000 if declared else chunks()
    response = client.post("/v1/images", content=content, headers={"content-type": "application/json"})
    assert response.status_code == 413
    assert "65536 bytes" in response.json()["detail"]
