"""A provoked alert reaches Alertmanager's receiver, and so does its end."""

from tests.observability.conftest import Watched, wait_until


def test_a_broken_file_fires_an_alert_until_it_is_removed(watched: Watched) -> None:
    broken = watched.models / "broken.onnx"
    broken.write_bytes(b"no model")
    assert wait_until(lambda: bool(watched.query("faussaire_files_refused == 1")))
    assert wait_until(lambda: bool(watched.notifications("FaussaireModelRefused", "firing")))
    alert = watched.notifications("FaussaireModelRefused", "firing")[0]
    assert alert["labels"]["severity"] == "ticket"
    assert alert["annotations"]["runbook"] == "docs/operations.md#faussairemodelrefused"
    assert alert["annotations"]["summary"].startswith("1 files of the models folder")
    assert watched.service.post("/v1/images", json={}).status_code == 200  # the previous versions stay
    active = watched.alertmanager.get("/api/v2/alerts").json()
    assert "FaussaireModelRefused" in {alert["labels"]["alertname"] for alert in active}
    broken.unlink()
    assert wait_until(lambda: bool(watched.notifications("FaussaireModelRefused", "resolved")))
