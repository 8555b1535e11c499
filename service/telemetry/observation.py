"""What metrics, the log and traces record of one request."""

import time
from dataclasses import dataclass, field

NO_MODEL = "none"
"""The model of a request that asks for no model, or that was refused before its model was known."""

OTHER_ROUTE = "other"
"""The route of a request that was refused before it was routed."""


Stage = tuple[str, float, float]
"""A part of the work: its name, and when it began and ended by `time.perf_counter`."""


@dataclass(slots=True)
class Observation:
    """Each member is set by the part of the service that knows it first. Only the id may be a client's own text."""

    request_id: str = ""
    started: float = field(default_factory=time.perf_counter)
    started_ns: int = field(default_factory=time.time_ns)
    model: str = NO_MODEL
    role: str | None = None
    """The role of the version that draws; None if no version draws."""
    key: str | None = None
    """The name of the request's key; None if the service asks for none, or before it is known."""
    over_limit: bool = False
    """Whether the request was refused because its key has drawn enough."""
    images: int = 0
    """Images asked for; 0 if the request was refused before their number was known."""
    route: str = OTHER_ROUTE
    status: int = 0
    """0 until the answer has begun."""
    stages: list[Stage] = field(default_factory=list)

    def note(self, name: str, started: float, ended: float) -> None:
        self.stages.append((name, started, ended))
