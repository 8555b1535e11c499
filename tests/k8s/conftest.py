"""What kustomize makes of a folder, and how Kubernetes reads it."""

import re
import shutil
import subprocess
from decimal import Decimal
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

VERSIONS = ["1.30", "1.32", "1.34", "1.36", "1.37"]
"""From the first release that has the preStop sleep on by default."""

UNITS = {"": "1", "m": "0.001", "Ki": str(2**10), "Mi": str(2**20), "Gi": str(2**30)}

Manifest = dict[str, Any]


def rendered(folder: Path) -> dict[str, Manifest]:
    """The rendered manifests by kind."""
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not installed")
    output = subprocess.run([kubectl, "kustomize", str(folder)], check=True, capture_output=True, text=True)
    documents = list(yaml.safe_load_all(output.stdout))
    by_kind = {document["kind"]: document for document in documents}
    assert len(by_kind) == len(documents)
    return by_kind


def quantity(text: str) -> Decimal:
    match = re.fullmatch(r"(\d+)(|m|Ki|Mi|Gi)", text)
    assert match, f"'{text}' is not a quantity that Kubernetes reads"
    return Decimal(match[1]) * Decimal(UNITS[match[2]])


@pytest.fixture
def container(pod: Manifest) -> Manifest:
    (only,) = pod["containers"]
    assert "initContainers" not in pod
    spec: Manifest = only
    return spec


def check_valid(manifests: dict[str, Manifest], version: str) -> None:
    for manifest in manifests.values():
        kubernetes_validate.validate(manifest, version, strict=True)


def check_restricted(pod: Manifest, container: Manifest) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 1034
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
    # The whole of it: what a container sets for itself wins over the pod.
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert all("hostPath" not in volume for volume in pod["volumes"])
