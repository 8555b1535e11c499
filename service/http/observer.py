"""Gives each request an id, and counts, logs and traces it once."""

import itertools
import re
import secrets
import time

from service.http.request import Request
from service.telemetry import metrics
from service.telemetry.observation import Observation
from service.telemetry.request_log import RequestLog
from service.telemetry.tracing import Tracing, trace_id_of

GONE = 499
"""The status, as in nginx, of an answer to a client that has left."""

STOPPED = 503
"""The status of an answer that the end of the server cut off."""

PROBES = frozenset({"/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})
"""Asked for every few seconds, for ever. In the log and in the traces they would hide what users ask for."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observer:
    """Writes the log and the traces, if there are any."""

    def __init__(self, log: RequestLog | None, tracing: Tracing) -> None:
        self._log = log
        self._tracing = tracing
        self._process = secrets.token_hex(8)
        self._numbers = itertools.count()

    def begin(self, request: Request) -> None:
        given = request.header(b"x-request-id")
        own = given is None or not REQUEST_ID.fullmatch(given)
        request.observation.request_id = f"{self._process}{next(self._numbers):016x}" if own else str(given)
        metrics.count(metrics.IN_FLIGHT)

    def end(self, request: Request) -> None:
        """The last byte of the answer has been sent, or there is none to send."""
        metrics.count(metrics.IN_FLIGHT, by=-1)
        if self._log is None and not self._tracing.is_on:
            return
        if request.observation.route in PROBES:
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        trace_id = self._tracing.record(request.observation, request.scope["method"], headers)
        if self._log is not None:
            self._log.write(request.observation, trace_id or trace_id_of(headers.get("traceparent")))


def count(observation: Observation, status: int) -> None:
    """Count a request once: when its answer begins, or when it is clear that there will be no answer."""
    if observation.status:
        return
    observation.status = status
    outcome = "limited" if observation.over_limit else outcome_of(status)
    metrics.count(metrics.REQUESTS, observation.route, outcome, observation.model)
    if observation.role is not None:
        metrics.count(metrics.VERSION_REQUESTS, observation.model, observation.role, outcome)
    if observation.key is not None:
        metrics.count(metrics.KEY_REQUESTS, observation.key, outcome)
    metrics.observe(metrics.REQUEST_SECONDS, time.perf_counter() - observation.started, observation.route)


def outcome_of(status: int) -> str:
    if status < 400:
        return "ok"
    if status == 429:
        return "refused"
    if status == GONE:
        return "gone"
    return "invalid" if status < 500 else "error"
