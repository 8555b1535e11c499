"""Traces as a collector receives them, over HTTP and in OpenTelemetry's own format."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from PIL import Image
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import ROOT, Settings
from tests.conftest import Collector, collecting

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    with collecting() as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        yield collector


def attributes(span: Span) -> dict[str, Any]:
    values = {one.key: one.value for one in span.attributes}
    return {key: getattr(value, value.WhichOneof("value")) for key, value in values.items()}


def ask(models_dir: Path, path: str = "/v1/images", *, status: int = 200, **request: Any) -> None:
    """One request to a service of its own, which sends its spans before it ends."""
    app = create_app(Settings(models_dir=models_dir, default_model="small", max_queue_rows=20, log_requests=True))
    with TestClient(app, raise_server_exceptions=False) as client:
        assert client.post(path, **request).status_code == status


def test_a_request_is_a_span_with_its_queue_inference_and_encoding_inside(
    models_dir: Path, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(models_dir, json={"n": 7}, headers=SAMPLED | {"X-Request-Id": "abc-1"})
    spans = {span.name: span for span in collector.spans}
    assert set(spans) == {"POST /v1/images", "queue", "inference", "encoding"}
    request = spans.pop("POST /v1/images")
    assert request.kind == Span.SPAN_KIND_SERVER
    assert (request.trace_id.hex(), request.parent_span_id.hex()) == (TRACE, PARENT)
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/v1/images",
        "http.response.status_code": 200,
        "faussaire.request_id": "abc-1",
        "faussaire.model": "small",
        "faussaire.images": 7,
    }
    assert {span.parent_span_id for span in spans.values()} == {request.span_id}
    assert {span.trace_id for span in spans.values()} == {request.trace_id}
    edges = [request.start_time_unix_nano]
    for name in ("queue", "inference", "encoding"):
        edges += [spans[name].start_time_unix_nano, spans[name].end_time_unix_nano]
    edges.append(request.end_time_unix_nano)
    assert edges == sorted(edges)
    assert json.loads(capsys.readouterr().out)["trace_id"] == TRACE


def test_without_a_parent_a_trace_begins_and_the_log_names_it(
    models_dir: Path, collector: Collector, capsys: pytest.CaptureFixture[str]
) -> None:
    ask(models_dir, json={})
    (trace,) = {span.trace_id.hex() for span in collector.spans}
    assert json.loads(capsys.readouterr().out)["trace_id"] == trace


def test_the_spans_are_the_services(models_dir: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(models_dir, json={})
    monkeypatch.setenv("OTEL_SERVICE_NAME", "forger")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
    ask(models_dir, json={})
    first, second = collector.resources
    assert first["service.name"] == "faussaire"
    assert first["service.version"] == "0.1.0"
    assert (second["service.name"], second["deployment.environment.name"]) == ("forger", "test")


def test_a_client_that_does_not_sample_is_not_traced(models_dir: Path, collector: Collector) -> None:
    ask(models_dir, json={}, headers={"traceparent": f"00-{TRACE}-{PARENT}-00"})
    assert collector.spans == []


def test_a_sampler_is_chosen_by_its_standard_variable(
    models_dir: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    ask(models_dir, json={})
    assert collector.spans == []


def test_a_refusal_is_a_span_without_a_word_of_the_clients(models_dir: Path, collector: Collector) -> None:
    ask(models_dir, status=404, json={"model": "Secret"})
    ask(models_dir, "/Secret?Secret", status=404)
    ask(models_dir, status=429, json={"n": 21})
    names = [span.name for span in collector.spans]
    assert names == ["POST /v1/images", "POST", "POST /v1/images"]
    assert not any("Secret" in str(span) for span in collector.spans)
    assert {span.status.code for span in collector.spans} == {0}  # a client's fault is no error of the server's


def test_an_image_that_is_read_is_a_span(models_dir: Path, collector: Collector) -> None:
    page = io.BytesIO()
    drawing = Image.new("L", (100, 100), "white")
    drawing.paste("black", (45, 20, 55, 80))
    drawing.save(page, "PNG")
    ask(models_dir, "/v1/codes", content=page.getvalue())
    assert [span.name for span in collector.spans] == ["reading", "POST /v1/codes"]


def test_nothing_is_sent_and_no_exporter_is_loaded_where_none_is_asked_for() -> None:
    program = """
import sys
from service.telemetry.observation import Observation
from service.telemetry.tracing import Tracing
with Tracing() as tracing:
    assert tracing.record(Observation("id"), "GET", {}) is None
assert not any(name.startswith("opentelemetry.exporter") for name in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, env={"PATH": ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
)
def test_the_standard_variables_switch_it_off(
    models_dir: Path, collector: Collector, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    ask(models_dir, json={})
    assert collector.spans == []
