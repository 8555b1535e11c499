"""Every error as an RFC 9457 problem: what was wrong, in which field, and what would be right."""

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from service.errors import RequestError
from service.telemetry import metrics

MEDIA_TYPE = "application/problem+json"
URN = "urn:faussaire:problem:"


UNEXPECTED = "internal"
INVALID_FIELD = "invalid-field"
INVALID_JSON = "invalid-json"

Problem = dict[str, Any]
"""The members of an RFC 9457 problem."""


SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "pattern": f"^{URN}"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What would be right."},
        "field": {"type": "string", "description": "The path of the field at fault: `items.1.style.0`."},
    },
}
"""The same for OpenAPI."""


def _slugs(error: type[RequestError]) -> Iterator[str]:
    yield error.slug
    for kind in error.__subclasses__():
        yield from _slugs(kind)


TYPES = (*_slugs(RequestError), INVALID_FIELD, INVALID_JSON, UNEXPECTED)
"""All that may be wrong, but what HTTP itself has a phrase for."""


def members(status: int, slug: str, title: str, detail: str, field: str | None = None) -> Problem:
    told: Problem = {"type": URN + slug, "title": title, "status": status, "detail": detail}
    return told if field is None else told | {"field": field}


def problem(status: int, slug: str, title: str, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    return _answer(members(status, slug, title, detail), headers)


def refusal(error: RequestError) -> Problem:
    return members(error.status, error.slug, error.title, error.detail, error.field)


def refused(error: RequestError) -> Response:
    return _answer(refusal(error), error.headers)


def unexpected() -> Response:
    return problem(500, UNEXPECTED, "Internal server error", "The server failed; the same request may succeed later.")


def _answer(told: Problem, headers: Mapping[str, str] | None = None) -> Response:
    metrics.PROBLEMS.labels(told["type"].removeprefix(URN)).inc()
    return JSONResponse(told, told["status"], headers, media_type=MEDIA_TYPE)


def invalid_field(detail: str, field: str) -> Problem:
    return members(422, INVALID_FIELD, "A field of the request is not valid", detail, field)


def described(description: str) -> dict[str, Any]:
    """A problem among the answers that OpenAPI lists."""
    return {"content": {MEDIA_TYPE: {"schema": SCHEMA}}, "description": description}


def handle_in(app: FastAPI) -> None:
    """The one place where errors become HTTP, but those that nobody expects: `Observed` has to see them too."""
    app.add_exception_handler(RequestError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return refused(error)


async def _invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return problem(400, INVALID_JSON, "The body is not JSON", "Send one JSON object.")
    where, message = first_fault(errors)
    return _answer(invalid_field(message, where))


def first_fault(errors: Sequence[Any]) -> tuple[str, str]:
    """The first faulty field's path, and what each way to give it would have wanted."""
    if errors[0]["type"] == "extra_forbidden":
        return field_path(errors[0]["loc"]), "There is no such field; see /docs for those there are."
    same_field = [error for error in errors if error["loc"][:2] == errors[0]["loc"][:2]]
    # Of a union's members, the one that understood most of the value knows best what is wrong with it.
    where = max((field_path(error["loc"]) for error in same_field), key=lambda path: path.count("."))
    if where == "body":
        return where, "Send one JSON object, with Content-Type: application/json."
    messages = [error["msg"] for error in same_field if field_path(error["loc"]) == where]
    return where, "; or: ".join(dict.fromkeys(messages)) + "."


async def _plain(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    slug = phrase.lower().replace(" ", "-")
    return problem(error.status_code, slug, phrase, str(error.detail), error.headers)


def field_path(location: Sequence[int | str]) -> str:
    """`style.0` from pydantic's location, without the names of the union's members."""
    inside = [part for part in location[1:] if part not in UNION_MEMBERS]
    return ".".join(str(part) for part in inside) or "body"


UNION_MEMBERS = {
    "int",
    "constrained-int",
    "str",
    "constrained-str",
    "list[float]",
    "dict[str,float]",
    "dict[constrained-str,constrained-float]",
    "literal['all']",
    "list[union[constrained-str,constrained-int]]",
    "ClassAxis",
    "StyleAxis",
    "SeedAxis",
}
