"""A request as the operations see it, and the answer that they give."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel

from service.access.account import Account
from service.http.asgi import Scope
from service.telemetry.observation import Observation

Headers = list[tuple[bytes, bytes]]
"""Names in lower case."""


class Request:
    """One HTTP request whose body has been read. `context` is what all requests share."""

    __slots__ = ("_by_name", "account", "body", "context", "headers", "observation", "path", "scope")

    def __init__(self, scope: Scope, context: Any) -> None:
        self.scope = scope
        self.path: str = scope["path"].rstrip("/") or "/"
        self.context = context
        self.observation = Observation()
        self.account: Account | None = None
        """Of the key, if the service asks for keys."""
        self.headers: Headers = scope["headers"]
        self._by_name = dict(self.headers)
        self.body = b""

    def header(self, name: bytes) -> str | None:
        """The header's value; of several with commas between, as RFC 9110, section 5.2, has it."""
        if len(self._by_name) == len(self.headers):  # as in most requests, each header is there once
            value = self._by_name.get(name)
            return None if value is None else value.decode("latin-1")
        found = [value for key, value in self.headers if key == name]
        return b",".join(found).decode("latin-1") if found else None

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and content. The length of the content is no header yet."""

    content: bytes = b""
    media_type: bytes | None = None
    headers: Sequence[tuple[bytes, bytes]] = ()
    status: int = 200


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer in parts."""

    parts: AsyncGenerator[bytes]
    media_type: bytes
    headers: Sequence[tuple[bytes, bytes]] = field(default=())
    status: int = 200
    length: int | None = None
    """The bytes of all parts; None if it is not known before the end."""


def answer_of(model: BaseModel, *, with_none: bool = False) -> Answer:
    """A model as JSON, by default without the fields that are None."""
    return Answer(model.model_dump_json(exclude_none=not with_none, by_alias=True).encode(), b"application/json")
