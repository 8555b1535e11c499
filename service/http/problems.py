"""Every error as an RFC 9457 problem: what was wrong, in which field, and what would be right."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from service.errors import URN, RequestError
from service.http.request import Answer
from service.telemetry import metrics

MEDIA_TYPE = "application/problem+json"

INFERENCE_PROTOCOL = "/v2"
"""Below it, errors have the form of the Open Inference Protocol: `{"error": "..."}`."""

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
    """The types of all problems."""
    yield error.slug
    for kind in error.__subclasses__():
        yield from problem_types(kind)


def describe(description: str) -> dict[str, Any]:
    """A problem among the answers that OpenAPI lists."""
    return {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}, "description": description}


def refuse(error: RequestError, path: str = "") -> Answer:
    """The answer to a request with this fault, in the form that clients of this path read."""
    metrics.count(metrics.PROBLEMS, error.slug)
    headers = [(name.lower().encode("ascii"), value.encode("ascii")) for name, value in error.headers.items()]
    if path.startswith(INFERENCE_PROTOCOL):
        field = "" if error.field is None else f"{error.field}: "
        return Answer(
            _json((("error", f"{field}{error.title}. {error.detail}"),)), b"application/json", headers, error.status
        )
    return Answer(_json(tuple(error.problem().items())), MEDIA_TYPE.encode("ascii"), headers, error.status)


@lru_cache(maxsize=64)
def _json(members: tuple[tuple[str, Any], ...]) -> bytes:
    """A service that refuses many requests refuses them with the same words."""
    return json.dumps(dict(members)).encode("ascii")
