"""An alert that is provoked reaches whoever Alertmanager tells, and so does its end."""

from tests.observability.conftest import Watched, until


def test_a_file_that_cannot_be_served_is_told_of_until_it_is_taken_away(watched: Watched) -> None:
    broken = watched.models / "broken.onnx"
    broken.write_bytes(b"no model")
    assert until(lambda: bool(watched.query("faussaire_files_refused == 1")))
    assert until(lambda: bool(watched.notified("FaussaireModelRefused", "firing")))
    told = watched.notified("FaussaireModelRefused", "firing")[0]
    assert told["labels"]["severity"] == "ticket"
    assert told["annotations"]["runbook"] == "docs/operations.md#faussairemodelrefused"
    assert told["annotations"]["summary"].startswith("1 files of the models folder")
    assert watched.service.post("/v1/images", json={}).status_code == 200  # what was served before goes on
    active = watched.alertmanager.get("/api/v2/alerts").json()
    assert "FaussaireModelRefused" in {alert["labels"]["alertname"] for alert in active}
    broken.unlink()
    assert until(lambda: bool(watched.notified("FaussaireModelRefused", "resolved")))
