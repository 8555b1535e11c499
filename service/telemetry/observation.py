"""What is told of one request once it has ended: by metrics, by a line in the log, by a trace."""

import time
from dataclasses import dataclass, field
from typing import NamedTuple

from starlette.requests import HTTPConnection
from starlette.types import Scope

NO_MODEL = "none"
"""The model of a request that was refused before it named one that is served, or that asks for none."""

OTHER_ROUTE = "other"
"""The route of what was refused before it was routed."""


class Stage(NamedTuple):
    """A part of the work, by `time.perf_counter`."""

    name: str
    started: float
    ended: float


@dataclass
class Observation:
    """Gathered by whoever knows it first; nothing in it is a client's own text but the request's id."""

    request_id: str
    started: float = field(default_factory=time.perf_counter)
    started_ns: int = field(default_factory=time.time_ns)
    model: str = NO_MODEL
    role: str | None = None
    """of the version that draws; None where none does"""
    images: int = 0
    """Asked for; 0 where the request was refused before that was known."""
    route: str = OTHER_ROUTE
    status: int = 0
    """0 until the answer has begun."""
    stages: list[Stage] = field(default_factory=list)

    def put_in(self, scope: Scope) -> None:
        scope.setdefault("state", {})["observation"] = self


def observation_of(request: HTTPConnection) -> Observation:
    observation: Observation = request.state.observation
    return observation
