"""Every folder of k8s/, and the base with its components: the manifests are valid and fit together."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
import yaml
from typer.main import get_command

from service.settings import Settings
from tests.k8s.conftest import (
    COMPONENTS,
    FOLDERS,
    K8S,
    Manifest,
    compose,
    containers,
    environment,
    mounts,
    only_container,
    quantity,
    render,
    templates,
)
from tests.k8s.schemas import IMAGE_VOLUMES, VERSIONS, validate
from training.cli import app

OF_OPERATORS = {"faussaire-trusted"}
"""ConfigMaps that whoever deploys makes: docs/kubernetes.md says so."""

EXCLUSIVE = {"models-volume", "models-image"}
COMBINATIONS = [
    *((name,) for name in COMPONENTS),
    *(tuple(name for name in COMPONENTS if name not in EXCLUSIVE - {models}) for models in sorted(EXCLUSIVE)),
]
CASES = [*FOLDERS, *COMBINATIONS]
UID = 1034
"""The user `bentoml` in images of `bentoml containerize`."""


@pytest.fixture(params=CASES, ids=[case if isinstance(case, str) else "+".join(case) for case in CASES])
def manifests(request: pytest.FixtureRequest) -> tuple[Manifest, ...]:
    case: Any = request.param
    return render(K8S / case) if isinstance(case, str) else compose(*case)


@pytest.fixture
def pods(manifests: tuple[Manifest, ...]) -> list[Manifest]:
    return [template["spec"] for manifest in manifests for template in templates(manifest)]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(manifests: tuple[Manifest, ...], pods: list[Manifest], version: str) -> None:
    if any("image" in volume for pod in pods for volume in pod["volumes"]) and version < IMAGE_VOLUMES:
        pytest.skip(f"image volumes need Kubernetes {IMAGE_VOLUMES}")
    for manifest in manifests:
        validate(manifest, version)


def test_no_two_manifests_have_the_same_name(manifests: tuple[Manifest, ...]) -> None:
    names = [
        (each["apiVersion"], each["kind"], each["metadata"].get("namespace"), each["metadata"]["name"])
        for each in manifests
    ]
    assert sorted(set(names), key=str) == sorted(names, key=str)


def test_every_pod_keeps_the_restricted_profile(pods: list[Manifest]) -> None:
    for pod in pods:
        assert (
            pod["securityContext"] | {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
            == (pod["securityContext"])
        )
        assert {pod["securityContext"][name] for name in ("runAsUser", "runAsGroup", "fsGroup")} == {UID}
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "configMap", "persistentVolumeClaim", "image", "secret"}
        for container in containers(pod):
            # All of it, because a container's own setting wins over the pod's.
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert all("hostPort" not in port for port in container.get("ports", []))


def test_no_pod_has_a_token_or_settings_that_it_did_not_ask_for(pods: list[Manifest]) -> None:
    for pod in pods:
        assert pod["automountServiceAccountToken"] is False
        # Kubernetes sets FAUSSAIRE_PORT=tcp://... and others for each Service.
        assert pod["enableServiceLinks"] is False


def test_every_container_requests_what_it_needs_within_its_limits(pods: list[Manifest]) -> None:
    for container in (each for pod in pods for each in containers(pod)):
        requests, limits = container["resources"]["requests"], container["resources"]["limits"]
        assert {"cpu", "memory"} <= requests.keys()
        assert {"memory"} <= limits.keys() <= requests.keys()
        for resource, request in requests.items():
            assert 0 < quantity(request) <= quantity(limits.get(resource, request))


def test_every_mount_is_of_a_volume_and_every_volume_is_mounted(pods: list[Manifest]) -> None:
    for pod in pods:
        used = [mounts(container) for container in containers(pod)]
        assert {name for one in used for name in one} == {volume["name"] for volume in pod["volumes"]}
        assert all(len(set(one.values())) == len(one) for one in used)


def test_the_source_of_every_volume_exists(manifests: tuple[Manifest, ...], pods: list[Manifest]) -> None:
    there = {(each["kind"], each["metadata"]["name"]) for each in manifests}
    for volume in (volume for pod in pods for volume in pod["volumes"]):
        if claim := volume.get("persistentVolumeClaim"):
            assert ("PersistentVolumeClaim", claim["claimName"]) in there
        if files := volume.get("configMap"):
            assert ("ConfigMap", files["name"]) in there or files["name"] in OF_OPERATORS
        if "emptyDir" in volume:
            assert quantity(volume["emptyDir"]["sizeLimit"]) > 0


def test_no_image_names_a_registry_and_all_name_a_version(pods: list[Manifest]) -> None:
    images = {container["image"] for pod in pods for container in containers(pod)}
    assert all(re.fullmatch(r"([a-z-]+/)?[a-z-]+:[a-z0-9.]+", image) for image in images)


def test_every_probe_asks_only_by_http_at_a_port_of_its_container(pods: list[Manifest]) -> None:
    for container in (each for pod in pods for each in containers(pod)):
        ports = {port["name"] for port in container.get("ports", [])}
        for probe in (value for name, value in container.items() if name.endswith("Probe")):
            assert {"httpGet", "exec", "grpc", "tcpSocket"} & probe.keys() == {"httpGet"}
            assert probe["httpGet"]["port"] in ports


def test_every_scaler_finds_its_deployment_and_its_measure(manifests: tuple[Manifest, ...]) -> None:
    scalers = [each for each in manifests if each["kind"] in {"HorizontalPodAutoscaler", "ScaledObject"}]
    deployments = {each["metadata"]["name"]: each for each in manifests if each["kind"] == "Deployment"}
    # Two scalers, or a scaler and a number of replicas, undo each other's work.
    assert len(scalers) == sum("replicas" not in each["spec"] for each in deployments.values())
    for scaler in scalers:
        deployment = deployments[scaler["spec"]["scaleTargetRef"]["name"]]
        assert "cpu" in only_container(deployment)["resources"]["requests"]


def test_the_service_has_and_accepts_every_setting(manifests: tuple[Manifest, ...]) -> None:
    known = {f"FAUSSAIRE_{name.upper()}": name for name in Settings.model_fields}
    for deployment in (each for each in manifests if each["kind"] == "Deployment"):
        for template in templates(deployment):
            for container in containers(template["spec"]):
                given = {name: value for name, value in environment(container).items() if name.startswith("FAUSSAIRE_")}
                assert given.keys() <= known.keys()
                Settings(**{known[name]: value for name, value in given.items()})  # type: ignore[arg-type]


def commands() -> Iterator[list[str]]:
    """Yield the arguments of each `faussaire` command in k8s/training."""
    for folder in (K8S / "training").glob("*/kustomization.yaml"):
        for manifest in render(folder.parent):
            if manifest["kind"] == "TrainJob":
                yield manifest["spec"]["trainer"]["args"]
            for template, key in product(templates(manifest), ("containers", "initContainers")):
                yield from (each["args"] for each in template["spec"].get(key, []) if "args" in each)


def test_faussaire_has_every_command() -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]
    asked = list(commands())
    assert {arguments[0] for arguments in asked} == {"train", "evaluate", "export"}
    for name, *arguments in asked:
        seeded = [argument.replace("$(JOB_COMPLETION_INDEX)", "3") for argument in arguments]
        known[name].make_context(name, seeded)


def test_every_file_is_rendered() -> None:
    for kustomization in K8S.rglob("kustomization.yaml"):
        listed = yaml.safe_load(kustomization.read_text())
        generated = [file for made in listed.get("configMapGenerator", []) for file in made["files"]]
        patches = [patch["path"] for patch in listed.get("patches", []) if "path" in patch]
        own = {path for path in [*listed.get("resources", []), *generated, *patches] if not path.startswith("..")}
        files = {path.name for path in kustomization.parent.iterdir() if path.suffix in {".yaml", ".sh", ".json"}}
        assert own | {"kustomization.yaml"} == files, kustomization


def test_the_folders_are_found() -> None:
    assert {"base", "dataset", "overlays/dev", "training/retrain"} <= set(FOLDERS)
    assert set(COMPONENTS) >= EXCLUSIVE
