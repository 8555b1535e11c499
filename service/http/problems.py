"""Every error as an RFC 9457 problem: what was wrong, in which field, and what would be right."""

from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from service.errors import URN, InvalidField, InvalidJson, Problem, RequestError
from service.telemetry import metrics
from service.validation import first_fault

MEDIA_TYPE = "application/problem+json"

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
"""JSON Schema of a problem, for OpenAPI."""


def problem_types(error: type[RequestError] = RequestError) -> Iterator[str]:
    """The types of all problems but those for which HTTP itself has a phrase."""
    yield error.slug
    for kind in error.__subclasses__():
        yield from problem_types(kind)


def describe(description: str) -> dict[str, Any]:
    """A problem among the answers that OpenAPI lists."""
    return {"content": {MEDIA_TYPE: {"schema": SCHEMA}}, "description": description}


def refuse(error: RequestError) -> Response:
    """The answer to a request with this fault."""
    return _answer(error.problem(), error.headers)


def add_handlers(app: FastAPI) -> None:
    """Turn errors into answers. Errors that nobody foresaw pass: the observer answers them."""
    app.add_exception_handler(RequestError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_field)
    app.add_exception_handler(HTTPException, _refuse_plain)


async def _refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestError)
    return refuse(error)


async def _refuse_field(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = error.errors()
    if errors[0]["type"] == "json_invalid":
        return refuse(InvalidJson(None, "Send one JSON object."))
    place = errors[0]["loc"][0]  # body, query, header or path
    inside = [fault | {"loc": fault["loc"][1:]} for fault in errors if fault["loc"][0] == place]
    submitted = error.body if place == "body" else {fault["loc"][0]: fault["input"] for fault in inside}
    fault = first_fault(inside, submitted)
    if fault.field == "":
        fault = InvalidField("body", "Send one JSON object, with Content-Type: application/json.")
    return refuse(fault)


async def _refuse_plain(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    kind = URN + phrase.lower().replace(" ", "-")
    problem = {"type": kind, "title": phrase, "status": error.status_code, "detail": str(error.detail)}
    return _answer(problem, error.headers)


def _answer(problem: Problem, headers: Mapping[str, str] | None) -> Response:
    metrics.PROBLEMS.labels(problem["type"].removeprefix(URN)).inc()
    return JSONResponse(problem, problem["status"], headers, media_type=MEDIA_TYPE)
