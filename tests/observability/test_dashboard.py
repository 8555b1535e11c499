"""Every query of the dashboard gives data from a real Prometheus and a real service."""

import math
from typing import Any

import pytest

from tests.monitoring.conftest import DASHBOARD, PANELS
from tests.observability.conftest import Watched, wait_until

TARGETS = [(panel["title"], target["expr"]) for panel in PANELS for target in panel["targets"]]


def substitute(expression: str) -> str:
    """Fill in the variables as Grafana does if `All` is chosen for each."""
    return expression.replace("$namespace", ".*").replace("$model", ".*").replace("$__rate_interval", "30s")


@pytest.mark.parametrize(("title", "expression"), TARGETS, ids=[title for title, _ in TARGETS])
def test_a_panel_has_data(watched: Watched, title: str, expression: str) -> None:
    def drawn() -> bool:
        return any(math.isfinite(float(series["value"][1])) for series in watched.query(substitute(expression)))

    assert wait_until(drawn), f"{title}: {expression} gives nothing"


def test_the_dashboard_marks_a_model_that_is_taken(watched: Watched) -> None:
    (annotation,) = DASHBOARD["annotations"]["list"]
    assert wait_until(lambda: bool(watched.query(substitute(annotation["expr"]))))


@pytest.mark.parametrize("name", ["model"])
def test_a_variable_has_values_to_choose_from(watched: Watched, name: str) -> None:
    (variable,) = (one for one in DASHBOARD["templating"]["list"] if one["name"] == name)
    metric = variable["definition"].removeprefix("label_values(").split(",")[0]
    answer: dict[str, Any] = watched.prometheus.get(f"/api/v1/label/{name}/values", params={"match[]": metric}).json()
    assert {"small", "plain", "none"} <= set(answer["data"])


def test_prometheus_takes_every_rule_and_none_fails(watched: Watched) -> None:
    groups = watched.prometheus.get("/api/v1/rules").json()["data"]["groups"]
    assert wait_until(lambda: bool(watched.query("namespace:faussaire_request_errors:ratio_rate5m")))
    assert [rule for group in groups for rule in group["rules"] if rule["health"] == "err"] == []
