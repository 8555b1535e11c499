"""Sends a trace of each request to an OpenTelemetry collector, if the standard OTEL_ variables name one."""

import os
import re
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, Self

from opentelemetry import propagate, trace
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer

from latent import VERSION
from service.errors import InvalidSetting
from service.telemetry.observation import NO_MODEL, OTHER_ROUTE, Observation

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})

TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-.*)?")
"""https://www.w3.org/TR/trace-context/#traceparent-header"""


class Tracing:
    """Use it as a context manager. If no endpoint is set, it does nothing and costs nothing."""

    def __init__(self) -> None:
        self._tracer: Tracer | None = None
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        """Raises InvalidSetting."""
        if _is_wanted(os.environ):
            self._tracer = self._open()
        return self

    def __exit__(self, *_: object) -> None:
        self._tracer = None
        self._stack.close()

    @property
    def is_on(self) -> bool:
        return self._tracer is not None

    def record(self, observation: Observation, method: str, headers: Mapping[str, str]) -> str | None:
        """Give the spans of a request that has ended to the exporter, and return the id of the trace."""
        if self._tracer is None:
            return None
        offset = observation.started_ns - int(observation.started * 1e9)  # from time.perf_counter to the clock
        method = method if method in METHODS else "_OTHER"
        routed = observation.route != OTHER_ROUTE
        span = self._tracer.start_span(
            f"{method} {observation.route}" if routed else method,
            context=propagate.extract(headers),
            kind=SpanKind.SERVER,
            start_time=observation.started_ns,
            attributes=_attributes(observation, method),
        )
        if observation.status >= 500:
            span.set_status(Status(StatusCode.ERROR))
        inside = trace.set_span_in_context(span)
        for name, started, ended in observation.stages:
            part = self._tracer.start_span(name, context=inside, start_time=offset + int(started * 1e9))
            part.end(offset + int(ended * 1e9))
        span.end(offset + int(time.perf_counter() * 1e9))
        return trace.format_trace_id(span.get_span_context().trace_id)

    def _open(self) -> Tracer:
        # Imported here: the exporter takes a tenth of a second, and most services have no collector.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        ours = Resource.create({"service.name": "faussaire", "service.version": VERSION})
        provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        self._stack.callback(provider.shutdown)
        return provider.get_tracer("faussaire", VERSION)


def trace_id_of(traceparent: str | None) -> str | None:
    """The id of the trace that the client's `traceparent` header names."""
    match = TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def _attributes(observation: Observation, method: str) -> dict[str, Any]:
    """By OpenTelemetry's conventions for HTTP, without the client's address and the URL."""
    attributes: dict[str, Any] = {
        "http.request.method": method,
        "http.response.status_code": observation.status,
        "faussaire.request_id": observation.request_id,
        "faussaire.images": observation.images,
    }
    if observation.route != OTHER_ROUTE:
        attributes["http.route"] = observation.route
    if observation.model != NO_MODEL:
        attributes["faussaire.model"] = observation.model
    return attributes


def _is_wanted(environment: Mapping[str, str]) -> bool:
    """Raises InvalidSetting."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if not any(environment.get(name) for name in ENDPOINTS):
        return False
    for name in PROTOCOLS:
        if environment.get(name, PROTOCOL) != PROTOCOL:
            raise InvalidSetting(f"{name}: set it to {PROTOCOL}, the only protocol here, or leave it out")
    return True
