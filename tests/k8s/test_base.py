"""The base keeps rules that no schema checks: names agree and times add up."""

import re
from pathlib import Path

import pytest

from service.settings import ROOT
from tests.k8s.conftest import K8S, Manifest, environment, mounts, one, only_container, quantity, render


@pytest.fixture(scope="module")
def manifests() -> tuple[Manifest, ...]:
    return render(K8S / "base")


@pytest.fixture
def deployment(manifests: tuple[Manifest, ...]) -> Manifest:
    return one(manifests, "Deployment")


@pytest.fixture
def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["spec"]["template"]["spec"]
    return spec


@pytest.fixture
def container(deployment: Manifest) -> Manifest:
    return only_container(deployment)


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"])
def test_every_selector_selects_our_pods(manifests: tuple[Manifest, ...], deployment: Manifest, kind: str) -> None:
    spec = one(manifests, kind)["spec"]
    selector = spec.get("podSelector") or spec["selector"]
    chosen = selector.get("matchLabels", {} if "podSelector" in spec else selector)
    # An empty selector is valid and selects every pod of the namespace.
    assert chosen
    assert chosen.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_replicas_are_spread_by_our_labels(deployment: Manifest, pod: Manifest) -> None:
    (constraint,) = pod["topologySpreadConstraints"]
    chosen = constraint["labelSelector"]["matchLabels"]
    assert chosen
    assert chosen.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_every_named_port_is_a_port_of_the_container(manifests: tuple[Manifest, ...], container: Manifest) -> None:
    named = {port["name"] for port in container["ports"]}
    used = {port["targetPort"] for port in one(manifests, "Service")["spec"]["ports"]}
    (rule,) = one(manifests, "NetworkPolicy")["spec"]["ingress"]
    used |= {port["port"] for port in rule["ports"]}
    assert used == named == {"http"}


def test_prometheus_and_a_gateway_may_ask_and_the_service_asks_nobody(manifests: tuple[Manifest, ...]) -> None:
    policy = one(manifests, "NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert [rule.keys() for rule in policy["ingress"]] == [{"ports"}]  # from any namespace
    assert policy["egress"] == []


def test_the_base_says_that_whoever_reaches_a_pod_may_use_it(container: Manifest) -> None:
    assert environment(container)["FAUSSAIRE_OPEN"] == "true"


def test_the_annotations_name_the_port_of_the_container(deployment: Manifest, container: Manifest) -> None:
    annotations = deployment["spec"]["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/path"] == "/metrics"
    assert int(annotations["prometheus.io/port"]) == container["ports"][0]["containerPort"]


def test_readiness_and_liveness_have_different_paths(container: Manifest) -> None:
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"


def test_a_pod_leaves_the_service_long_before_it_is_killed_for_being_slow(container: Manifest) -> None:
    def patience(probe: Manifest) -> int:
        return int(probe["periodSeconds"]) * int(probe["failureThreshold"])

    assert 3 * patience(container["readinessProbe"]) <= patience(container["livenessProbe"])
    assert patience(container["startupProbe"]) >= 60


def test_the_grace_period_has_room_for_the_wait_and_for_the_work_in_flight(pod: Manifest, container: Manifest) -> None:
    command, option, grace = container["args"]
    assert (command, option) == ("serve", "--timeout-graceful-shutdown")
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits >= 5
    assert pod["terminationGracePeriodSeconds"] >= waits + int(grace) + 5


def test_memory_is_requested_in_full_and_cpu_has_no_limit(container: Manifest) -> None:
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert limits == {"memory": requests["memory"]}


def test_the_service_writes_only_to_volumes(pod: Manifest, container: Manifest) -> None:
    assert all("emptyDir" in volume for volume in pod["volumes"])
    assert mounts(container) == {"tmp": "/tmp"}
    # The image sets this place, and the manifest sets no other.
    home = re.search(r"export BENTOML_HOME=(\S+)", (ROOT / "container" / "setup.sh").read_text())
    assert home
    assert Path(home[1]).is_relative_to("/tmp")
    assert "BENTOML_HOME" not in environment(container)


def test_the_account_has_no_token(manifests: tuple[Manifest, ...], pod: Manifest) -> None:
    account = one(manifests, "ServiceAccount", pod["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False


def test_a_disruption_leaves_a_pod_that_serves(manifests: tuple[Manifest, ...], deployment: Manifest) -> None:
    budget = one(manifests, "PodDisruptionBudget")["spec"]["maxUnavailable"]
    assert one(manifests, "HorizontalPodAutoscaler")["spec"]["minReplicas"] > budget
    assert deployment["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0


def test_there_are_more_replicas_before_a_core_is_full(manifests: tuple[Manifest, ...], container: Manifest) -> None:
    scaler = one(manifests, "HorizontalPodAutoscaler")["spec"]
    (metric,) = scaler["metrics"]
    assert metric["resource"]["name"] == "cpu"
    assert metric["resource"]["target"]["type"] == "AverageValue"
    target = quantity(metric["resource"]["target"]["averageValue"])
    assert quantity(container["resources"]["requests"]["cpu"]) < target < 1
    assert scaler["minReplicas"] < scaler["maxReplicas"]
