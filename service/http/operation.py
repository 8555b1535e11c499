"""An operation: a row of the table from which routes, validation and the OpenAPI document are made."""

import json
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import from_json

from service.errors import InvalidField, InvalidJson
from service.http.request import Answer, Request, Stream
from service.validation import validate

Model = TypeVar("Model", bound=BaseModel)

Handle = Callable[[Request, Any], Awaitable[Answer | Stream]]
"""From a request and what it asks, valid, to the answer."""

JSON = "application/json"


@dataclass(frozen=True)
class Operation:
    """What is asked is the `body` as JSON, or the `query`, or the last part of the path in braces; or nothing.

    With a query or several parts in braces, the operation reads the path itself.
    """

    path: str
    """`/v1/models/{name}`: any parts may be in braces, and then stand for whatever a request has there."""
    handle: Handle
    method: str = "GET"
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    path_schema: Mapping[str, Any] = field(default_factory=dict)
    """JSON Schema of the part of the path in braces."""
    media_types: tuple[str, ...] = ()
    """Those of a body that is a file."""
    answer: type[BaseModel] | None = None
    """The model of a JSON answer with status 200."""
    answers: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    """Further answers, as OpenAPI lists them."""
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """What may be asked next: by the name of that operation, its parameters as expressions over the answer
    (https://spec.openapis.org/oas/v3.1.0#link-object)."""
    draws: bool = False
    """Whether it draws images: it then waits for a place in work, and a header may choose the model's canary."""
    recall: Callable[[Request], Answer | None] | None = None
    """The answer to a request, before it is validated, if the same request was answered before."""
    listed: bool = True
    """Whether OpenAPI lists it."""

    @property
    def name(self) -> str:
        """A name that a function of a generated client can have."""
        return self.handle.__name__

    def asked(self, request: Request) -> Any:
        """What the request asks. Raises InvalidField and InvalidJson."""
        if self.body is not None:
            return read_body(self.body, request)
        if self.query is not None:
            return read_query(self.query, request.query)
        return request.path.rpartition("/")[2] if self.path.endswith("}") else None


def read_body(model: type[BaseModel], request: Request) -> BaseModel:
    """Raises InvalidField and InvalidJson."""
    if not request.body or not _is_json(request.header(b"content-type")):
        raise InvalidField("body", "Send one JSON object, with Content-Type: application/json.")
    return read_json(model, request.body)


def read_json(model: type[Model], text: bytes) -> Model:
    """Raises InvalidField and InvalidJson."""
    try:
        read: Model = model.__pydantic_validator__.validate_json(text)
    except ValidationError:
        read = _read_again(model, text)
    colons = text.count(b":")
    if colons > len(read.model_fields_set) and colons > _count_members(read):
        _check_members(text)  # else none can be there twice
    return read


def _count_members(value: Any) -> int:
    """How many members the objects of a JSON value have, at least."""
    if isinstance(value, BaseModel):
        return sum(1 + _count_members(getattr(value, name)) for name in value.model_fields_set)
    if isinstance(value, dict):
        return sum(1 + _count_members(member) for member in value.values())
    if isinstance(value, list) and value and isinstance(value[0], BaseModel | dict | list):
        return sum(map(_count_members, value))
    return 0


def _check_members(text: bytes) -> None:
    """Of two members of one name, some readers take the first. Raises InvalidField and InvalidJson."""

    def check(members: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) < len(members):
            raise InvalidField("body", "An object has two members of one name; send each once.")

    try:
        json.loads(text, object_pairs_hook=check)
    except ValueError:  # numbers longer than Python reads
        raise InvalidJson(None, "Send one JSON object.") from None


def _is_json(content_type: str | None) -> bool:
    if content_type == JSON:
        return True
    media_type = (content_type or "").partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")


def _read_again(model: type[Model], body: bytes) -> Model:
    """Read what means the same in other words, or find the fault. Raises InvalidField and InvalidJson."""
    try:
        value = from_json(body)
    except ValueError:
        marked = body.startswith((BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE))
        detail = "Send JSON in UTF-8, without a byte order mark." if marked else "Send one JSON object."
        raise InvalidJson(None, detail) from None
    try:
        return validate(model, value)
    except InvalidField as fault:
        if fault.field:
            raise
    raise InvalidField("body", "Send one JSON object, with Content-Type: application/json.")


def read_query(model: type[BaseModel], query: Sequence[tuple[str, str]]) -> BaseModel:
    """A parameter without a value is absent. Raises InvalidField."""
    asked = {name: value for name, value in query if value}
    if len(asked) < len(query):
        _check_names(model, [name for name, _ in query])
    return validate(model, asked)


def _check_names(model: type[BaseModel], names: Sequence[str]) -> None:
    """Raises InvalidField if a parameter of the model is there twice."""
    known = {field.alias or name for name, field in model.model_fields.items()}
    for name in known:
        if names.count(name) > 1:
            raise InvalidField(name, "Send this parameter once.")
