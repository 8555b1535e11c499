"""Manifests as kustomize renders them, and their parts as Kubernetes reads them."""

import os
import re
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from service.settings import ROOT
from tests.conftest import program

K8S = ROOT / "k8s"
COMPONENTS = sorted(path.parent.name for path in (K8S / "components").glob("*/kustomization.yaml"))
FOLDERS = sorted(
    str(path.parent.relative_to(K8S))
    for path in K8S.rglob("kustomization.yaml")
    if yaml.safe_load(path.read_text())["kind"] == "Kustomization"
)
"""The folders for `kubectl apply -k`."""

UNITS = {"": "1", "m": "0.001", "Ki": str(2**10), "Mi": str(2**20), "Gi": str(2**30)}

Manifest = dict[str, Any]


@cache
def render(folder: Path) -> tuple[Manifest, ...]:
    command = [program("kubectl"), "kustomize", str(folder)]
    output = subprocess.run(command, check=False, capture_output=True, text=True)
    assert output.returncode == 0, output.stderr
    return tuple(yaml.safe_load_all(output.stdout))


@cache
def compose(*components: str) -> tuple[Manifest, ...]:
    """Render the base with some components, as an overlay does."""
    with TemporaryDirectory() as folder:
        base, *others = (
            os.path.relpath(path, Path(folder).resolve())
            for path in (K8S / "base", *(K8S / "components" / name for name in components))
        )
        overlay = {"resources": [base], "components": others}
        Path(folder, "kustomization.yaml").write_text(yaml.safe_dump(overlay))
        return render(Path(folder))


def one(manifests: tuple[Manifest, ...], kind: str, name: str = "faussaire") -> Manifest:
    (found,) = [each for each in manifests if each["kind"] == kind and each["metadata"]["name"] == name]
    return found


def templates(manifest: Manifest) -> Iterator[Manifest]:
    """Yield the pod templates of a Deployment, a Job or any other manifest."""
    for value in manifest.values():
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, dict):
                if "containers" in part.get("spec", {}):
                    yield part
                else:
                    yield from templates(part)


def containers(pod: Manifest) -> list[Manifest]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def only_container(manifest: Manifest) -> Manifest:
    ((container,),) = (template["spec"]["containers"] for template in templates(manifest))
    spec: Manifest = container
    return spec


def environment(container: Manifest) -> dict[str, str]:
    return {variable["name"]: variable.get("value", "") for variable in container.get("env", [])}


def mounts(container: Manifest) -> dict[str, str]:
    return {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}


def quantity(text: str | int) -> Decimal:
    match = re.fullmatch(r"(\d+)(|m|Ki|Mi|Gi)", str(text))
    assert match, f"'{text}' is not a quantity that Kubernetes reads"
    return Decimal(match[1]) * Decimal(UNITS[match[2]])
