"""promtool checks the rules and the service's metrics."""

import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
import yaml

from monitoring.rules import rules
from tests.conftest import program
from tests.monitoring.conftest import ALERTS
from tests.observability.conftest import Watched

CASES = sorted(Path(__file__).parent.glob("*_test.yaml"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules()))
    for case in CASES:
        shutil.copy(case, tmp_path)
    return tmp_path


def promtool(folder: Path, *arguments: str, stdin: str = "") -> None:
    done = subprocess.run(
        [program("promtool"), *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid(folder: Path) -> None:
    promtool(folder, "check", "rules", "rules.yaml")


def test_alerts_fire_when_they_should_and_not_before(folder: Path) -> None:
    promtool(folder, "test", "rules", *(case.name for case in CASES))


def test_every_alert_has_a_case_that_fires_and_a_case_that_does_not() -> None:
    cases = [test for case in CASES for test in yaml.safe_load(case.read_text())["tests"]]
    tests = [one for case in cases for one in case.get("alert_rule_test", [])]
    names = {alert["alert"] for alert in ALERTS}
    assert {test["alertname"] for test in tests if test.get("exp_alerts")} == names
    assert {test["alertname"] for test in tests if not test.get("exp_alerts")} == names


def test_promtool_accepts_the_format_and_names_of_the_metrics(watched: Watched, folder: Path) -> None:
    answer = httpx.get(f"{watched.service.base_url}/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    promtool(folder, "check", "metrics", stdin=answer.text)
