"""The manifests are valid, and hold what no schema checks: names that agree, sums that add up."""

from pathlib import Path

import pytest
import yaml

from tests.k8s.conftest import VERSIONS, Manifest, check_restricted, check_valid, quantity, rendered

BASE = Path(__file__).parents[2] / "k8s" / "base"


@pytest.fixture(scope="module")
def manifests() -> dict[str, Manifest]:
    """The rendered manifests by kind."""
    return rendered(BASE)


@pytest.fixture
def deployment(manifests: dict[str, Manifest]) -> Manifest:
    spec: Manifest = manifests["Deployment"]["spec"]
    return spec


@pytest.fixture
def pod(deployment: Manifest) -> Manifest:
    spec: Manifest = deployment["template"]["spec"]
    return spec


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(manifests: dict[str, Manifest], version: str) -> None:
    check_valid(manifests, version)


def test_every_file_of_the_base_is_rendered() -> None:
    listed = yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"]
    assert {*listed, "kustomization.yaml"} == {path.name for path in BASE.iterdir()}


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "NetworkPolicy", "Deployment"])
def test_what_selects_pods_selects_ours(manifests: dict[str, Manifest], deployment: Manifest, kind: str) -> None:
    spec = manifests[kind]["spec"]
    selector = spec.get("podSelector") or spec["selector"]
    chosen = selector.get("matchLabels", {} if "podSelector" in spec else selector)
    # An empty selector is valid, and means every pod of the namespace.
    assert chosen
    assert chosen.items() <= deployment["template"]["metadata"]["labels"].items()


def test_replicas_are_spread_by_our_labels(deployment: Manifest, pod: Manifest) -> None:
    (constraint,) = pod["topologySpreadConstraints"]
    chosen = constraint["labelSelector"]["matchLabels"]
    assert chosen.items() <= deployment["template"]["metadata"]["labels"].items()


def test_every_port_named_is_a_port_of_the_container(manifests: dict[str, Manifest], container: Manifest) -> None:
    named = {port["name"] for port in container["ports"]}
    probes = [container[f"{probe}Probe"] for probe in ("startup", "readiness", "liveness")]
    used = {probe["httpGet"]["port"] for probe in probes}
    used |= {port["targetPort"] for port in manifests["Service"]["spec"]["ports"]}
    (rule,) = manifests["NetworkPolicy"]["spec"]["ingress"]
    used |= {port["port"] for port in rule["ports"]}
    assert used == named == {"http"}


def test_prometheus_is_pointed_at_the_port_of_the_container(deployment: Manifest, container: Manifest) -> None:
    annotations = deployment["template"]["metadata"]["annotations"]
    assert annotations["prometheus.io/scrape"] == "true"
    assert annotations["prometheus.io/path"] == "/metrics"
    assert int(annotations["prometheus.io/port"]) == container["ports"][0]["containerPort"]


def test_readiness_and_liveness_are_asked_apart(container: Manifest) -> None:
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert container["startupProbe"]["httpGet"]["path"] == "/readyz"
    assert container["livenessProbe"]["httpGet"]["path"] == "/livez"
    for probe in ("startup", "readiness", "liveness"):
        handlers = {"httpGet", "exec", "grpc", "tcpSocket"} & container[f"{probe}Probe"].keys()
        assert handlers == {"httpGet"}


def test_the_grace_period_has_room_for_the_wait_and_for_the_work_in_flight(pod: Manifest, container: Manifest) -> None:
    command, option, grace = container["args"]
    assert (command, option) == ("serve", "--timeout-graceful-shutdown")
    waits = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert waits >= 5
    assert pod["terminationGracePeriodSeconds"] >= waits + int(grace) + 5


def test_requests_are_within_limits(container: Manifest) -> None:
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert requests.keys() == {"cpu", "memory"}
    assert limits["memory"] == requests["memory"]
    for resource, request in requests.items():
        assert 0 < quantity(request) <= quantity(limits.get(resource, request))


def test_the_pod_keeps_the_restricted_profile(pod: Manifest, container: Manifest) -> None:
    check_restricted(pod, container)
    assert all("hostPort" not in port for port in container["ports"])


def test_what_is_written_goes_to_volumes(pod: Manifest, container: Manifest) -> None:
    mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    assert mounted.keys() == {volume["name"] for volume in pod["volumes"]}
    for volume in pod["volumes"]:
        assert quantity(volume["emptyDir"]["sizeLimit"]) > 0
    environment = {variable["name"]: variable["value"] for variable in container["env"]}
    assert {environment["BENTOML_HOME"], "/tmp"} == set(mounted.values())


def test_the_pod_has_no_token(manifests: dict[str, Manifest], pod: Manifest) -> None:
    assert pod["serviceAccountName"] == manifests["ServiceAccount"]["metadata"]["name"]
    assert manifests["ServiceAccount"]["automountServiceAccountToken"] is False
    assert pod["automountServiceAccountToken"] is False


def test_a_service_of_our_name_does_not_set_our_settings(pod: Manifest) -> None:
    # FAUSSAIRE_PORT=tcp://... and its like, which Kubernetes sets for each Service.
    assert pod["enableServiceLinks"] is False


def test_a_disruption_leaves_a_pod_that_serves(manifests: dict[str, Manifest], deployment: Manifest) -> None:
    budget = manifests["PodDisruptionBudget"]["spec"]["maxUnavailable"]
    assert deployment["replicas"] > budget
    assert deployment["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
