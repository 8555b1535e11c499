"""The dashboard has the form that Grafana reads. No test runs Grafana; tests/observability runs its queries."""

from itertools import pairwise

import pytest

from tests.monitoring.conftest import DASHBOARD, PANELS, RECORDS, metrics_of, queries

VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


def test_the_variables_choose_prometheus_namespace_and_model() -> None:
    assert VARIABLES["datasource"]["type"] == "datasource"
    for name in ("namespace", "model"):
        assert VARIABLES[name]["allValue"] == ".*"  # right too if no series has the label
        assert VARIABLES[name]["datasource"] == SOURCE


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_names_its_data_source_and_its_unit(panel: dict[str, object]) -> None:
    assert panel["datasource"] == SOURCE
    assert panel["fieldConfig"]["defaults"]["unit"]  # type: ignore[index]
    targets = panel["targets"]
    assert isinstance(targets, list)
    assert targets
    assert [target["refId"] for target in targets] == list("ABCDEFGH"[: len(targets)])
    for target in targets:
        assert target["datasource"] == SOURCE
        assert 'namespace=~"$namespace"' in target["expr"]


def test_no_two_panels_share_an_id_a_title_or_a_place() -> None:
    panels = DASHBOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len({panel["title"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        taken |= cells


def test_the_rows_go_from_requests_to_processes() -> None:
    rows = [(panel["gridPos"]["y"], panel["title"]) for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert [title for _, title in rows] == ["Requests", "Queue and batches", "Models and processes"]
    assert all(above < below for (above, _), (below, _) in pairwise(rows))


def test_every_metric_of_the_service_is_drawn_or_alerted_on() -> None:
    from prometheus_client import REGISTRY

    from service.telemetry import metrics

    assert metrics.REQUESTS is not None
    ours = {family.name for family in REGISTRY.collect() if family.name.startswith("faussaire_")}
    asked = {name for query in queries() for name, _ in metrics_of(query)}
    unasked = {name for name in ours if not any(one == name or one.startswith(f"{name}_") for one in asked)}
    assert unasked == set()


def test_every_recorded_series_is_used_and_every_used_one_is_recorded() -> None:
    used = {word for query in queries() for word in query.replace("{", " ").split() if word.startswith("namespace:")}
    assert used == set(RECORDS)
