"""What an overlay of the base with the component has: pods, rules and dashboard where Prometheus's operator looks."""

import json
import os

import pytest
import yaml

from monitoring.rules import COMPONENT, rules
from service.settings import ROOT
from tests.k8s.conftest import VERSIONS, Manifest, check_valid, rendered

OPERATORS = ("PodMonitor", "PrometheusRule")
"""Of whose kinds Kubernetes itself has no schema."""


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Manifest]:
    overlay = tmp_path_factory.mktemp("overlay")
    kustomization = {
        "namespace": "forgery",
        "resources": [os.path.relpath(ROOT / "k8s" / "base", overlay.resolve())],
        "components": [os.path.relpath(COMPONENT, overlay.resolve())],
    }
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
    return rendered(overlay)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(manifests: dict[str, Manifest], version: str) -> None:
    check_valid({kind: one for kind, one in manifests.items() if kind not in OPERATORS}, version)


def test_every_file_of_the_component_is_rendered() -> None:
    listed = yaml.safe_load((COMPONENT / "kustomization.yaml").read_text())
    (dashboard,) = listed["configMapGenerator"]
    files = {*listed["resources"], *dashboard["files"], "kustomization.yaml"}
    assert files == {path.name for path in COMPONENT.iterdir()}


def test_the_monitor_selects_our_pods_and_their_port(manifests: dict[str, Manifest]) -> None:
    monitor, template = manifests["PodMonitor"]["spec"], manifests["Deployment"]["spec"]["template"]
    chosen = monitor["selector"]["matchLabels"]
    assert chosen
    assert chosen.items() <= template["metadata"]["labels"].items()
    (endpoint,) = monitor["podMetricsEndpoints"]
    (container,) = template["spec"]["containers"]
    assert endpoint["port"] in {port["name"] for port in container["ports"]}
    assert endpoint["path"] == "/metrics"


def test_the_job_is_called_what_the_rules_call_it(manifests: dict[str, Manifest]) -> None:
    labels = manifests["Deployment"]["spec"]["template"]["metadata"]["labels"]
    job = labels[manifests["PodMonitor"]["spec"]["jobLabel"]]
    asked = [rule["expr"] for group in rules()["groups"] for rule in group["rules"] if "job=" in rule["expr"]]
    assert asked
    assert all(f'job="{job}"' in query for query in asked)


def test_nobody_scrapes_a_pod_twice(manifests: dict[str, Manifest]) -> None:
    annotations = manifests["Deployment"]["spec"]["template"]["metadata"].get("annotations", {})
    assert not any(name.startswith("prometheus.io/") for name in annotations)


def test_the_rules_are_those_that_prometheus_checks(manifests: dict[str, Manifest]) -> None:
    assert manifests["PrometheusRule"]["spec"] == rules()


def test_grafana_finds_the_dashboard(manifests: dict[str, Manifest]) -> None:
    found = manifests["ConfigMap"]
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["namespace"] == "forgery"
    dashboard = json.loads(found["data"]["dashboard.json"])
    assert dashboard == json.loads((COMPONENT / "dashboard.json").read_text(encoding="utf-8"))


def test_what_the_base_is_stays_as_it_is_but_for_its_annotations(manifests: dict[str, Manifest]) -> None:
    plain = rendered(ROOT / "k8s" / "base")
    spec = plain["Deployment"]["spec"]["template"]
    spec["metadata"].pop("annotations", None)
    ours = manifests["Deployment"]["spec"]["template"]
    ours["metadata"].pop("annotations", None)
    assert ours == spec
