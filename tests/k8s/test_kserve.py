"""The service under KServe, which makes the Deployment from a ServingRuntime and an InferenceService."""

from pathlib import Path

import pytest

from service.app import create_app
from service.settings import Settings
from tests.k8s.conftest import K8S, Manifest, environment, mounts, one, only_container, render


@pytest.fixture
def runtime() -> Manifest:
    spec: Manifest = one(render(K8S / "kserve"), "ServingRuntime")["spec"]
    return spec


@pytest.fixture
def container(runtime: Manifest) -> Manifest:
    (container,) = runtime["containers"]
    assert container["name"] == "kserve-container"  # KServe mounts the models into the container of this name
    found: Manifest = container
    return found


def test_the_inference_service_has_the_runtime_that_speaks_its_protocol(runtime: Manifest) -> None:
    model = one(render(K8S / "kserve"), "InferenceService")["spec"]["predictor"]["model"]
    assert model["runtime"] == one(render(K8S / "kserve"), "ServingRuntime")["metadata"]["name"]
    assert model["modelFormat"]["name"] in {each["name"] for each in runtime["supportedModelFormats"]}
    assert runtime["protocolVersions"] == [model["protocolVersion"]] == ["v2"]
    assert model["storageUri"].startswith("oci://")
    assert environment_of(runtime)["FAUSSAIRE_MODELS_DIR"] == "/mnt/models"


def environment_of(runtime: Manifest) -> dict[str, str]:
    (container,) = runtime["containers"]
    return environment(container)


def test_it_runs_as_in_the_base(runtime: Manifest, container: Manifest) -> None:
    deployment = one(render(K8S / "base"), "Deployment")["spec"]["template"]["spec"]
    base = only_container(one(render(K8S / "base"), "Deployment"))
    for name in ("args", "resources", "image"):
        assert container[name] == base[name]
    own, pods = base["securityContext"], deployment["securityContext"]
    assert container["securityContext"] == own | {name: pods[name] for name in pods if name != "fsGroup"}
    assert mounts(container) == mounts(base)
    assert runtime["volumes"] == deployment["volumes"]
    predictor = one(render(K8S / "kserve"), "InferenceService")["spec"]["predictor"]
    for name in ("automountServiceAccountToken", "enableServiceLinks", "terminationGracePeriodSeconds"):
        assert predictor[name] == deployment[name]


def test_its_probes_are_those_of_the_protocol(container: Manifest, tmp_path: Path) -> None:
    paths = {operation.path for operation in create_app(Settings(models_dir=tmp_path)).operations}
    ports = {port["containerPort"] for port in container["ports"]}
    asked = {name: container[name]["httpGet"] for name in ("readinessProbe", "livenessProbe")}
    assert {probe["path"] for probe in asked.values()} == {"/v2/health/ready", "/v2/health/live"} <= paths
    assert {probe["port"] for probe in asked.values()} == ports
