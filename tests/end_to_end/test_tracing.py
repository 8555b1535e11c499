"""A real server that sends traces to a collector and logs one line for each request."""

import json
from pathlib import Path

from tests.conftest import collecting
from tests.end_to_end.conftest import serving

TRACE = "0af7651916cd43dd8448eb211c80319c"


def test_what_is_logged_of_a_request_leads_to_its_trace(models_dir: Path, tmp_path: Path) -> None:
    settings = {"FAUSSAIRE_DEFAULT_MODEL": "small", "FAUSSAIRE_LOG_REQUESTS": "true"}
    with collecting() as collector:
        with serving(models_dir, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **settings) as server:
            server.post("/v1/images", json={"n": 3}, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
            server.post("/v1/images", json={"n": 0})
        spans = collector.spans
    lines = (tmp_path / "serve.log").read_text().splitlines()
    told = [json.loads(line) for line in lines if line.startswith("{")]
    assert [(line["status"], line["images"]) for line in told] == [(200, 3), (422, 0)]
    assert told[0]["trace_id"] == TRACE
    requests = [span for span in spans if span.name == "POST /v1/images"]
    assert [span.trace_id.hex() for span in requests] == [line["trace_id"] for line in told]
    stages = [span.name for span in spans if span.parent_span_id == requests[0].span_id]
    assert stages == ["queue", "inference", "encoding"]


def test_a_collector_that_is_away_costs_no_answer(models_dir: Path, tmp_path: Path) -> None:
    away = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    settings = {"FAUSSAIRE_DEFAULT_MODEL": "small"} | away
    with serving(models_dir, tmp_path, **settings) as server:
        assert server.post("/v1/images", json={}).status_code == 200
