"""Calls a service from Python: `Client`, and `AsyncClient` for what awaits."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, Concatenate, ParamSpec, Self, TypeVar

import httpx

from faussaire import calls
from faussaire.calls import Call, Image, ImageCodes, Model, Point, Problem, Refused, checked

__all__ = ["AsyncClient", "Client", "Image", "ImageCodes", "Model", "Point", "Problem", "Refused"]

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 1 << 20
PATIENCE = 60.0
"""seconds without a byte after which a service is given up"""


def _answered(call: Callable[P, Call[T]]) -> "Callable[Concatenate[Client, P], T]":
    @wraps(call)
    def method(client: "Client", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return client.answer(call(*args, **kwargs))

    return method


def _awaited(call: Callable[P, Call[T]]) -> "Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, T]]":
    @wraps(call)
    async def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await client.answer(call(*args, **kwargs))

    return method


class Client:
    """Each method raises Refused where the service says no.

    Where the refusal says when to try again, as that of a full queue does, the client waits so long and tries again, up
    to `retries` times.
    """

    def __init__(
        self,
        url: str,
        *,
        retries: int = 0,
        timeout: float = PATIENCE,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, transport=transport)
        self._retries = retries
        self._wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    models = _answered(calls.models)
    image = _answered(calls.image)
    images = _answered(calls.images)
    items = _answered(calls.items)
    traversal = _answered(calls.traversal)
    interpolation = _answered(calls.interpolation)
    codes = _answered(calls.codes)
    dataset = _answered(calls.dataset)

    def answer(self, call: Call[T]) -> T:
        left = self._retries
        while True:
            try:
                return self._once(call)
            except Refused as refused:
                if left == 0 or refused.retry_after is None:
                    raise
                left, pause = left - 1, refused.retry_after
            self._wait(pause)

    def _once(self, call: Call[T]) -> T:
        with self._http.stream(call.method, call.path, **call.sent) as answer:
            if call.into is None or not answer.is_success:
                answer.read()
                return call.read(checked(answer))
            with _replacing(call.into) as file:
                for part in answer.iter_bytes(CHUNK):
                    file.write(part)
            return call.read(answer)


class AsyncClient:
    """The same, each method to be awaited."""

    def __init__(
        self,
        url: str,
        *,
        retries: int = 0,
        timeout: float = PATIENCE,
        transport: httpx.AsyncBaseTransport | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, transport=transport)
        self._retries = retries
        self._wait = wait

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    models = _awaited(calls.models)
    image = _awaited(calls.image)
    images = _awaited(calls.images)
    items = _awaited(calls.items)
    traversal = _awaited(calls.traversal)
    interpolation = _awaited(calls.interpolation)
    codes = _awaited(calls.codes)
    dataset = _awaited(calls.dataset)

    async def answer(self, call: Call[T]) -> T:
        left = self._retries
        while True:
            try:
                return await self._once(call)
            except Refused as refused:
                if left == 0 or refused.retry_after is None:
                    raise
                left, pause = left - 1, refused.retry_after
            await self._wait(pause)

    async def _once(self, call: Call[T]) -> T:
        async with self._http.stream(call.method, call.path, **call.sent) as answer:
            if call.into is None or not answer.is_success:
                await answer.aread()
                return call.read(checked(answer))
            with _replacing(call.into) as file:
                async for part in answer.aiter_bytes(CHUNK):
                    await asyncio.to_thread(file.write, part)
            return call.read(answer)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """A file beside its place, which takes it when it is whole."""
    beside = path.with_name(f"{path.name}.part")
    try:
        with beside.open("wb") as file:
            yield file
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
