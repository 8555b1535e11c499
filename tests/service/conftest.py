"""A client of the small generators, and the parts of its answers."""

import base64
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from numpy.typing import NDArray
from PIL import Image

from service.app import create_app
from service.settings import Settings

MAX_IMAGES = 100
MAX_PIXELS = 2_000_000


@pytest.fixture(scope="module")
def small(models_dir: Path) -> Iterator[TestClient]:
    settings = Settings(models_dir=models_dir, default_model="small", max_images=MAX_IMAGES, max_pixels=MAX_PIXELS)
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
