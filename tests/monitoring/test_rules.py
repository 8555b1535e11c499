"""Rules and dashboard ask for metrics that the service has, and every alert has a runbook."""

import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from latent.keys import Key, KeyFile, digest_of
from monitoring.local import example
from service.app import create_app
from service.settings import ROOT, Settings
from tests.monitoring.conftest import ALERTS, metrics_of, queries

OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TARGETS = {"job", "instance", "namespace", "pod", "container"}
"""Labels that Prometheus adds to each series of a pod."""


@pytest.fixture(scope="module")
def series(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """Return the labels of each series of a live scrape."""
    found: dict[str, set[str]] = {"up": set()}
    keys = tmp_path_factory.mktemp("keys") / "keys.json"
    keys.write_text(KeyFile(keys={"alice": Key(digest=digest_of("alice"))}).text(), encoding="utf-8")
    settings = Settings(models_dir=models_dir, default_model="small", keys_file=keys)
    with TestClient(create_app(settings), headers={"X-Api-Key": "alice"}) as client:
        assert client.post("/v1/images", json={}).status_code == 200
        text = client.get("/metrics").text
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def test_every_query_asks_for_metrics_and_labels_that_the_service_has(series: dict[str, set[str]]) -> None:
    asked = [metric for query in queries() for metric in metrics_of(query)]
    assert len({name for name, _ in asked}) > 20
    wrong = {name: labels for name, labels in asked if name not in series or labels - series[name] - TARGETS}
    assert wrong == {}


def test_every_bucket_in_a_query_exists(models_dir: Path) -> None:
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small"))) as client:
        client.post("/v1/images", json={})
        text = client.get("/metrics").text
    bounds = {
        bound for query in queries() for bound in re.findall(r'faussaire_request_seconds_bucket\{le="(.*?)"', query)
    }
    assert bounds == {"1.0"}
    assert 'faussaire_request_seconds_bucket{le="1.0"' in text


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_leads_to_its_runbook(alert: dict[str, dict[str, str]]) -> None:
    page, anchor = alert["annotations"]["runbook"].split("#")
    assert page == "docs/operations.md"
    assert anchor == str(alert["alert"]).lower()
    assert f"\n### {alert['alert']}\n" in OPERATIONS
    assert alert["labels"]["severity"] in {"page", "ticket", "info"}


def test_every_runbook_belongs_to_an_alert() -> None:
    headings = re.findall(r"^### (Faussaire\w+)$", OPERATIONS, re.MULTILINE)
    assert headings == [alert["alert"] for alert in ALERTS]


def test_every_severity_has_a_receiver() -> None:
    routing = example("alertmanager")
    matched = {matcher for route in routing["route"]["routes"] for matcher in route["matchers"]}
    assert matched == {'severity = "page"', 'severity = "info"'}  # tickets go to the default receiver
    named = {routing["route"]["receiver"]} | {route["receiver"] for route in routing["route"]["routes"]}
    assert named == {receiver["name"] for receiver in routing["receivers"]}
