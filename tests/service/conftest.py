"""Generators whose files a test may change, a client of the small ones, and the parts of its answers."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from httpx import Response
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from starlette.testclient import TestClient

from latent import Codes
from service.app import create_app
from service.inference.batcher import Batcher, Drawn
from service.inference.generator import Generator
from service.registry.registry import Registry
from service.settings import Settings
from tests.conftest import small_card, write_recogniser, write_small, write_version

MAX_IMAGES = 100
MAX_PIXELS = 2_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """`plain` without codes, and the first version of `small` with its recogniser."""
    write_small(tmp_path, "plain", coded=False)
    write_recogniser(write_version(tmp_path, 0), small_card())
    return tmp_path


async def looked_twice(registry: Registry) -> None:
    await registry.refresh()
    await registry.refresh()


def digests(registry: Registry) -> dict[str, str]:
    return {name: versions.release.stable for name, versions in registry.now.models.items()}


@pytest.fixture(scope="session")
def sensitive(models_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator:
    """`small`, made to depend on how many rows its batch has, as the last bits of some kernels do."""
    model = onnx.load(models_dir / "small.onnx")
    nodes = {node.output[0]: node for node in model.graph.node}
    model.graph.initializer.append(numpy_helper.from_array(np.array([0]), "first"))
    rows = [
        helper.make_node("Shape", ["codes"], ["sizes"]),
        helper.make_node("Gather", ["sizes", "first"], ["rows"]),
        helper.make_node("Cast", ["rows"], ["offset"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["lighter", "offset"], ["brighter"]),
    ]
    nodes["clipped"].input[0] = "brighter"
    place = list(model.graph.node).index(nodes["clipped"])
    for node in reversed(rows):
        model.graph.node.insert(place, node)
    path = tmp_path_factory.mktemp("sensitive") / "sensitive.onnx"
    onnx.save(model, path)
    return Generator(path, threads=1)


@pytest.fixture(scope="module")
def settings(models_dir: Path) -> Settings:
    """Those of `client`. A module that needs others has a fixture of this name."""
    return Settings(models_dir=models_dir, default_model="small", max_images=MAX_IMAGES, max_pixels=MAX_PIXELS)


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


def pixels(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)))


def unzipped(content: bytes) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and the files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest: dict[str, Any] = json.loads(files.pop("manifest.json"))
    return manifest, files


def pngs(answer: dict[str, Any]) -> list[bytes]:
    """Of the images of a JSON answer that were drawn."""
    return [base64.b64decode(image["png"]) for image in answer["images"] if "png" in image]


def posted(client: TestClient, path: str, **body: Any) -> Response:
    response: Response = client.post(path, json=body)
    assert response.status_code == 200, response.text
    return response


def refused(client: TestClient, path: str, body: Any, **headers: str) -> tuple[int, str | None, str]:
    """Status, field and detail."""
    response = client.post(path, json=body, headers=headers)
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    return response.status_code, problem.get("field"), problem["detail"]


@pytest.fixture
def inferences(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows each inference was asked for."""
    seen: list[int] = []
    honest = Batcher.submit

    async def counted(self: Batcher, codes: Codes) -> Drawn:
        seen.append(len(codes))
        return await honest(self, codes)

    monkeypatch.setattr(Batcher, "submit", counted)
    return seen


def check_full_queue_refuses(models_dir: Path, path: str, body: Any) -> None:
    settings = Settings(models_dir=models_dir, default_model="small", max_queue_rows=3)
    with TestClient(create_app(settings)) as client:
        response = client.post(path, json=body)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1


def played_examples(client: TestClient, path: str, schema: str) -> list[dict[str, Any]]:
    """Those that the documentation has of an operation that answers with animations too."""
    api = client.get("/openapi.json").json()
    answer = api["paths"][path]["post"]["responses"]["200"]
    assert {"image/png", "image/apng", "image/webp", "image/gif", "application/zip"} <= set(answer["content"])
    examples: list[dict[str, Any]] = api["components"]["schemas"][schema]["examples"]
    assert examples
    return examples
