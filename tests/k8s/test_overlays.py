"""What the overlays are composed of."""

import pytest
import yaml

from tests.k8s.conftest import K8S, Manifest, one, only_container, quantity, rendered

PRODUCTION = ("overlays/production-cpu", "overlays/production-gpu")


def kinds(folder: str) -> set[str]:
    return {each["kind"] for each in rendered(K8S / folder)}


def deployment(folder: str) -> Manifest:
    return one(rendered(K8S / folder), "Deployment")


def listed(folder: str) -> Manifest:
    kustomization: Manifest = yaml.safe_load((K8S / folder / "kustomization.yaml").read_text())
    return kustomization


def test_dev_is_one_small_replica() -> None:
    assert kinds("overlays/dev") == kinds("base") - {"HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert deployment("overlays/dev")["spec"]["replicas"] == 1
    small, full = (only_container(deployment(folder))["resources"]["requests"] for folder in ("overlays/dev", "base"))
    assert all(quantity(small[name]) < quantity(full[name]) for name in ("cpu", "memory"))


@pytest.mark.parametrize("overlay", PRODUCTION)
def test_production_is_the_base_scaled_and_watched_behind_a_gateway_with_models_on_a_volume(overlay: str) -> None:
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
    manifests = rendered(K8S / overlay)
    namespaces = {each["metadata"].get("namespace") for each in manifests if each["kind"] != "Namespace"}
    assert namespaces == {"faussaire"}


def test_production_with_gpus_is_that_without_and_gpus() -> None:
    cpu, gpu = (listed(overlay)["components"] for overlay in PRODUCTION)
    assert set(gpu) - set(cpu) == {"../../components/gpu"}
    assert set(cpu) <= set(gpu)


@pytest.mark.parametrize(("overlay", "tag"), [(PRODUCTION[0], "latest"), (PRODUCTION[1], "gpu")])
def test_the_one_image_that_an_overlay_names_is_that_of_every_container(overlay: str, tag: str) -> None:
    pod = deployment(overlay)["spec"]["template"]["spec"]
    assert listed(overlay)["images"] == [{"name": "faussaire", "newTag": tag}]
    images = {each["image"] for each in (*pod["initContainers"], *pod["containers"])}
    assert images == {f"faussaire:{tag}"}
