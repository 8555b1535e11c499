"""A trace of each request to an OpenTelemetry collector, where the standard OTEL_ variables name one."""

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

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


@contextmanager
def tracing() -> Iterator[Tracer | None]:
    """What spans are made with; None, which costs nothing, where no endpoint is set. Raises InvalidSetting."""
    if not _wanted(os.environ):
        yield None
        return
    # The exporter is a tenth of a second to import.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    ours = Resource.create({"service.name": "faussaire", "service.version": VERSION})
    provider = TracerProvider(resource=ours.merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider.get_tracer("faussaire", VERSION)
    finally:
        provider.shutdown()


def recorded(tracer: Tracer, request: Observation, method: str, headers: Mapping[str, str]) -> str:
    """Gives the spans of a request that has ended to the exporter; returns the id of its trace."""
    offset = request.started_ns - int(request.started * 1e9)  # from time.perf_counter to the clock
    method = method if method in METHODS else "_OTHER"
    known = request.route != OTHER_ROUTE
    span = tracer.start_span(
        f"{method} {request.route}" if known else method,
        context=propagate.extract(headers),
        kind=SpanKind.SERVER,
        start_time=request.started_ns,
        attributes=_attributes(request, method),
    )
    if request.status >= 500:
        span.set_status(Status(StatusCode.ERROR))
    inside = trace.set_span_in_context(span)
    for stage in request.stages:
        part = tracer.start_span(stage.name, context=inside, start_time=offset + int(stage.started * 1e9))
        part.end(offset + int(stage.ended * 1e9))
    span.end(offset + int(time.perf_counter() * 1e9))
    return trace.format_trace_id(span.get_span_context().trace_id)


def trace_id_of(traceparent: str | None) -> str | None:
    """The trace that the client says its request is a part of."""
    match = TRACEPARENT.fullmatch(traceparent or "")
    return match[1] if match else None


def _attributes(request: Observation, method: str) -> dict[str, Any]:
    """By OpenTelemetry's conventions for HTTP, without what may tell of the client: its address, the URL."""
    told: dict[str, Any] = {
        "http.request.method": method,
        "http.response.status_code": request.status,
        "faussaire.request_id": request.request_id,
        "faussaire.images": request.images,
    }
    if request.route != OTHER_ROUTE:
        told["http.route"] = request.route
    if request.model != NO_MODEL:
        told["faussaire.model"] = request.model
    return told


def _wanted(environment: Mapping[str, str]) -> bool:
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if not any(environment.get(name) for name in ENDPOINTS):
        return False
    for name in PROTOCOLS:
        if environment.get(name, PROTOCOL) != PROTOCOL:
            raise InvalidSetting(f"{name}: set it to {PROTOCOL}, the only one that is spoken, or leave it out")
    return True
