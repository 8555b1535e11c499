"""Observes each request from outside: gives it an id, and counts, logs and traces it."""

import asyncio
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Unexpected
from service.http.disconnect import GONE
from service.http.problems import refuse
from service.telemetry import metrics
from service.telemetry.observation import OTHER_ROUTE, Observation
from service.telemetry.request_log import RequestLog
from service.telemetry.tracing import Tracing, trace_id_of

TIMED_OUT = 504
"""BentoML's answer, outside of this middleware, to a request that it cancels."""

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Observer:
    """Counts and times each request once, by its route and model.

    Every answer passes here, also the answer to an error that nobody foresaw: what a client sees is what is counted.
    """

    def __init__(self, app: ASGIApp, log: RequestLog | None, tracing: Tracing) -> None:
        self._app = app
        self._log = log
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        observation = Observation(_request_id(headers.get("x-request-id")))
        observation.put_in(scope)

        async def observe(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = observation.request_id
                _count(observation, scope, message["status"])
            await send(message)

        metrics.IN_FLIGHT.inc()
        try:
            await self._app(scope, receive, observe)
        except asyncio.CancelledError:
            _count(observation, scope, TIMED_OUT)
            raise
        except Exception:
            if not observation.status:
                await refuse(Unexpected())(scope, receive, observe)
            raise
        finally:
            metrics.IN_FLIGHT.dec()
            _count(observation, scope, GONE)  # the client left before its body had arrived
            self._record(observation, scope["method"], headers)

    def _record(self, observation: Observation, method: str, headers: Headers) -> None:
        trace_id = self._tracing.record(observation, method, headers)
        if self._log is not None:
            self._log.write(observation, trace_id or trace_id_of(headers.get("traceparent")))


def _count(observation: Observation, scope: Scope, status: int) -> None:
    """Count a request once: when its answer begins, or when it is clear that there will be no answer."""
    if observation.status:
        return
    observation.status = status
    observation.route = getattr(scope.get("route"), "path", "") or OTHER_ROUTE
    metrics.REQUESTS.labels(observation.route, outcome(status), observation.model).inc()
    if observation.role is not None:
        metrics.VERSION_REQUESTS.labels(observation.model, observation.role, outcome(status)).inc()
    metrics.REQUEST_SECONDS.labels(observation.route).observe(time.perf_counter() - observation.started)


def outcome(status: int) -> str:
    if status < 400:
        return "ok"
    if status == 429:
        return "refused"
    if status == GONE:
        return "gone"
    return "invalid" if status < 500 else "error"


def _request_id(given: str | None) -> str:
    return given if given and REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
