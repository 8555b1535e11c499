"""The component gets pods scraped, and puts rules and dashboard where Prometheus' operator and Grafana look."""

import json
from typing import Any

import pytest

from monitoring.rules import COMPONENT, rules
from tests.k8s.conftest import K8S, Manifest, compose, one, only_container, render


@pytest.fixture(scope="module")
def manifests() -> tuple[Manifest, ...]:
    return compose("monitoring")


@pytest.fixture(scope="module")
def monitor(manifests: tuple[Manifest, ...]) -> Manifest:
    spec: Manifest = one(manifests, "PodMonitor")["spec"]
    return spec


def pod(manifests: tuple[Manifest, ...]) -> tuple[dict[str, Any], Manifest]:
    """Return the pod's metadata without its annotations, and its spec."""
    template = one(manifests, "Deployment")["spec"]["template"]
    return {name: value for name, value in template["metadata"].items() if name != "annotations"}, template["spec"]


def test_the_monitor_selects_our_pods_and_their_port(manifests: tuple[Manifest, ...], monitor: Manifest) -> None:
    metadata, _ = pod(manifests)
    chosen = monitor["selector"]["matchLabels"]
    assert chosen
    assert chosen.items() <= metadata["labels"].items()
    (endpoint,) = monitor["podMetricsEndpoints"]
    container = only_container(one(manifests, "Deployment"))
    assert endpoint["port"] in {port["name"] for port in container["ports"]}
    assert endpoint["path"] == "/metrics"


def test_the_scraped_job_has_the_name_that_the_rules_use(manifests: tuple[Manifest, ...], monitor: Manifest) -> None:
    metadata, _ = pod(manifests)
    job = metadata["labels"][monitor["jobLabel"]]
    asked = [rule["expr"] for group in rules()["groups"] for rule in group["rules"] if "job=" in rule["expr"]]
    assert asked
    assert all(f'job="{job}"' in query for query in asked)


def test_nobody_scrapes_a_pod_twice(manifests: tuple[Manifest, ...]) -> None:
    annotations = one(manifests, "Deployment")["spec"]["template"]["metadata"].get("annotations", {})
    assert not any(name.startswith("prometheus.io/") for name in annotations)


def test_the_component_has_the_rules_that_prometheus_checks(manifests: tuple[Manifest, ...]) -> None:
    assert one(manifests, "PrometheusRule")["spec"] == rules()


def test_grafana_finds_the_dashboard(manifests: tuple[Manifest, ...]) -> None:
    found = one(manifests, "ConfigMap", "faussaire-dashboard")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    dashboard = json.loads(found["data"]["dashboard.json"])
    assert dashboard == json.loads((COMPONENT / "dashboard.json").read_text(encoding="utf-8"))


def test_the_base_changes_only_in_its_annotations(manifests: tuple[Manifest, ...]) -> None:
    assert pod(manifests) == pod(render(K8S / "base"))
