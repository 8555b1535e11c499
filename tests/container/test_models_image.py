"""The image of models alone, by the very line of docs/upgrades.md."""

import json
import re
import shutil
import tarfile

from service.settings import ROOT
from tests.container.conftest import Podman


def test_an_image_of_models_has_their_files(podman: Podman) -> None:
    models = podman.folder / "models"
    models.mkdir()
    for path in (ROOT / "models").glob("mnist-infogan.*onnx"):
        shutil.copy(path, models)
    (line,) = re.findall(r"^(printf .*)$", (ROOT / "docs/upgrades.md").read_text(encoding="utf-8"), re.MULTILINE)
    built = podman.run(["bash", "-c", line])
    assert built.returncode == 0, built.stderr
    layout = podman.folder / "layout"
    podman("save", "--format", "oci-dir", "--output", str(layout), "faussaire-models:1")
    blobs = layout / "blobs" / "sha256"
    (listed,) = json.loads((layout / "index.json").read_text())["manifests"]
    (layer,) = json.loads((blobs / listed["digest"].partition(":")[2]).read_text())["layers"]
    found = {}
    with tarfile.open(blobs / layer["digest"].partition(":")[2]) as archive:
        for member in archive:
            if (content := archive.extractfile(member)) is not None:
                found[member.name] = content.read()
    assert found == {f"models/{path.name}": path.read_bytes() for path in models.iterdir()}
