"""The parts of each overlay."""

import pytest
import yaml

from tests.k8s.conftest import K8S, Manifest, one, only_container, quantity, render

PRODUCTION = ("overlays/production-cpu", "overlays/production-gpu")


def kinds(folder: str) -> set[str]:
    return {each["kind"] for each in render(K8S / folder)}


def deployment(folder: str) -> Manifest:
    return one(render(K8S / folder), "Deployment")


def read_kustomization(folder: str) -> Manifest:
    kustomization: Manifest = yaml.safe_load((K8S / folder / "kustomization.yaml").read_text())
    return kustomization


def test_dev_is_one_small_replica() -> None:
    assert kinds("overlays/dev") == kinds("base") - {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert deployment("overlays/dev")["spec"]["replicas"] == 1
    small, full = (only_container(deployment(folder))["resources"]["requests"] for folder in ("overlays/dev", "base"))
    assert all(quantity(small[name]) < quantity(full[name]) for name in ("cpu", "memory"))


@pytest.mark.parametrize("overlay", PRODUCTION)
def test_production_adds_scaling_monitoring_a_gateway_and_a_volume(overlay: str) -> None:
    added = {
        "ScaledObject",
        "Gateway",
        "HTTPRoute",
        "PersistentVolumeClaim",
        "Namespace",
        "PodMonitor",
        "PrometheusRule",
    }
    assert kinds(overlay) >= kinds("base") - {"HorizontalPodAutoscaler"} | added
    assert "HorizontalPodAutoscaler" not in kinds(overlay)


@pytest.mark.parametrize("overlay", PRODUCTION)
def test_all_of_production_is_in_its_namespace(overlay: str) -> None:
    manifests = render(K8S / overlay)
    namespaces = {each["metadata"].get("namespace") for each in manifests if each["kind"] != "Namespace"}
    assert namespaces == {"faussaire"}


def test_production_with_gpus_only_adds_the_gpu_component() -> None:
    cpu, gpu = (read_kustomization(overlay)["components"] for overlay in PRODUCTION)
    assert set(gpu) - set(cpu) == {"../../components/gpu"}
    assert set(cpu) <= set(gpu)


@pytest.mark.parametrize(("overlay", "tag"), [(PRODUCTION[0], "latest"), (PRODUCTION[1], "gpu")])
def test_every_container_has_the_one_image_that_an_overlay_names(overlay: str, tag: str) -> None:
    pod = deployment(overlay)["spec"]["template"]["spec"]
    assert read_kustomization(overlay)["images"] == [{"name": "faussaire", "newTag": tag}]
    images = {each["image"] for each in (*pod["initContainers"], *pod["containers"])}
    assert images == {f"faussaire:{tag}"}
