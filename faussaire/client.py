"""Calls a service: `Client` waits for each answer, `AsyncClient` awaits it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, BinaryIO, Concatenate, ParamSpec, Self, TypeVar

import httpx

from faussaire import calls
from faussaire.calls import Call, Download, check
from faussaire.types import Refused, UnexpectedAnswer
from latent.containers import is_complete

P = ParamSpec("P")
T = TypeVar("T")

CHUNK = 1 << 20
TIMEOUT = 60.0
"""Seconds without a byte before the client gives up."""

LONGEST_PAUSE = 60
"""Seconds."""


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
    """Calls a service and waits for its answers. Use it as a context manager.

    Each method raises Refused if the service answers with an error. If the error says when to try again, as that of a
    full queue does, the client waits and tries again, at most `retries` times; it calls `wait` with the seconds. For
    more than a minute, as at the end of a day's quota, it does not wait. `key` is the secret of an API key.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retries: int = 0,
        timeout: float = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._http = httpx.Client(base_url=url, timeout=timeout, transport=transport, headers=_headers(key))
        self._retries = retries
        self._wait = wait

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    models = _answered(calls.models)
    model = _answered(calls.model)
    image = _answered(calls.image)
    images = _answered(calls.images)
    items = _answered(calls.items)
    traversal = _answered(calls.traversal)
    interpolation = _answered(calls.interpolation)
    codes = _answered(calls.codes)
    verify = _answered(calls.verify)
    dataset = _answered(calls.dataset)

    def answer(self, call: Call[T]) -> T:
        retry = _Retry(self._retries)
        while True:
            try:
                return self._once(call)
            except Refused as refused:
                pause = retry.pause(refused)
            self._wait(pause)

    def _once(self, call: Call[T]) -> T:
        with self._http.stream(call.method, call.path, **call.sent) as answer:
            if call.into is None or not answer.is_success:
                answer.read()
            check(call, answer)
            if call.into is not None:
                with _writing(call.into) as write:
                    for part in answer.iter_bytes(CHUNK):
                        write(part)
            return _read(call, answer)


class AsyncClient:
    """The same as `Client`, but each method is awaited."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        retries: int = 0,
        timeout: float = TIMEOUT,
        transport: httpx.AsyncBaseTransport | None = None,
        wait: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout, transport=transport, headers=_headers(key))
        self._retries = retries
        self._wait = wait

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    models = _awaited(calls.models)
    model = _awaited(calls.model)
    image = _awaited(calls.image)
    images = _awaited(calls.images)
    items = _awaited(calls.items)
    traversal = _awaited(calls.traversal)
    interpolation = _awaited(calls.interpolation)
    codes = _awaited(calls.codes)
    verify = _awaited(calls.verify)
    dataset = _awaited(calls.dataset)

    async def answer(self, call: Call[T]) -> T:
        retry = _Retry(self._retries)
        while True:
            try:
                return await self._once(call)
            except Refused as refused:
                pause = retry.pause(refused)
            await self._wait(pause)

    async def _once(self, call: Call[T]) -> T:
        async with self._http.stream(call.method, call.path, **call.sent) as answer:
            if call.into is None or not answer.is_success:
                await answer.aread()
            check(call, answer)
            if call.into is not None:
                with _writing(call.into) as write:
                    async for part in answer.aiter_bytes(CHUNK):
                        await asyncio.to_thread(write, part)
            return _read(call, answer)


class _Retry:
    """Decides how long to wait before each next try of one call."""

    def __init__(self, retries: int) -> None:
        self._left = retries

    def pause(self, refused: Refused) -> float:
        """Seconds to wait. Raises `refused` if there is no next try."""
        if not self._left or refused.retry_after is None or refused.retry_after > LONGEST_PAUSE:
            raise refused
        self._left -= 1
        return refused.retry_after


def _headers(key: str | None) -> dict[str, str]:
    return {} if key is None else {"Authorization": f"Bearer {key}"}


def _read(call: Call[T], answer: httpx.Response) -> T:
    """Raises UnexpectedAnswer."""
    try:
        return call.read(answer)
    except (KeyError, ValueError) as error:
        raise UnexpectedAnswer(f"{answer.url} gave an answer that no Faussaire service gives: {error!r}") from error


@contextmanager
def _writing(into: Download) -> Iterator[Callable[[bytes], None]]:
    """Write to a file beside the download's place, and move it there when it is complete. Raises UnexpectedAnswer."""
    beside = into.path.with_name(f"{into.path.name}.part")
    try:
        with beside.open("w+b") as file:
            yield lambda part: _write(file, part, into)
            if not is_complete(into.kind, file):
                raise UnexpectedAnswer(f"the data set for {into.path} ended early; ask for it again")
        beside.replace(into.path)
    finally:
        beside.unlink(missing_ok=True)


def _write(file: BinaryIO, part: bytes, into: Download) -> None:
    file.write(part)
    if into.received is not None:
        into.received(part)
