import io
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient
from torchvision.datasets import MNIST

from service.settings import Settings


@pytest.fixture(scope="module")
def settings(models_dir: Path) -> Settings:
    return Settings(models_dir=models_dir, default_model="small", max_streams=2)


def read(content: bytes, folder: Path) -> MNIST:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        tar.extractall(folder, filter="data")
    return MNIST(str(folder), train=True)


def asked(client: TestClient, **body: Any) -> bytes:
    answer = client.post("/v1/datasets", json={"seed": 3, "n": 600} | body)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def test_the_items_are_the_images_of_the_seed_in_mnists_own_files(client: TestClient, tmp_path: Path) -> None:
    answer = client.post("/v1/datasets", json={"seed": 3, "n": 600})
    assert answer.headers["content-type"] == "application/x-tar"
    assert answer.headers["content-disposition"] == 'attachment; filename="small-3-0-600.tar"'
    assert answer.headers["faussaire-seed"] == "3"
    found = read(answer.content, tmp_path)
    assert found.targets.tolist() == [item % 10 for item in range(600)]
    for item in (0, 255, 256, 599):
        body = {"seed": 3, "index": item, "class": str(item % 10)}
        image = np.asarray(Image.open(io.BytesIO(client.post("/v1/images", json=body).content)))
        assert np.array_equal(found.data[item].numpy(), image)


def test_shards_asked_for_alone_are_the_parts_of_the_whole(client: TestClient, tmp_path: Path) -> None:
    whole = read(asked(client), tmp_path / "whole")
    parts = [read(asked(client, shards=3, shard=k), tmp_path / f"{k}") for k in range(3)]
    assert np.array_equal(np.concatenate([part.data for part in parts]), whole.data)
    assert np.array_equal(np.concatenate([part.targets for part in parts]), whole.targets)


@pytest.mark.parametrize("kind", ["idx", "webdataset", "parquet", "zip"])
def test_the_same_request_gives_the_same_bytes(client: TestClient, kind: str) -> None:
    assert asked(client, format=kind, style={"slant": 0.5}) == asked(client, format=kind, style={"slant": 0.5})
    assert asked(client, format=kind, style={"slant": 0.5}) != asked(client, format=kind)


def test_a_model_without_codes_gives_a_data_set_of_one_class(client: TestClient, tmp_path: Path) -> None:
    assert set(read(asked(client, model="plain", n=20), tmp_path).targets.tolist()) == {0}


def test_a_shard_may_be_empty(client: TestClient) -> None:
    with tarfile.open(fileobj=io.BytesIO(asked(client, n=1, shards=2, shard=0))) as tar:
        assert "MNIST/raw/train-images-idx3-ubyte" in tar.getnames()


@pytest.mark.parametrize(
    ("body", "field", "remedy"),
    [
        ({"shards": 3, "shard": 3}, "shard", "from 0 to 2"),
        ({"n": 0}, "n", "greater than or equal to 1"),
        ({"n": 200_000, "format": "zip"}, "format", "at most 100,000 images; ask for shards"),
        ({"format": "csv"}, "format", "'idx', 'webdataset', 'parquet' or 'zip'"),
        ({"style": {"smile": 1}}, "style", "in this order: slant, width"),
        ({"style": {"slant": 2}}, "style.slant", "from -1 to 1"),
        ({"size": 3}, "size", "no such field"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field_with_the_remedy(
    client: TestClient, body: dict[str, Any], field: str, remedy: str
) -> None:
    answer = client.post("/v1/datasets", json=body)
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert remedy in answer.json()["detail"]


def test_a_model_that_is_not_there_is_404(client: TestClient) -> None:
    assert client.post("/v1/datasets", json={"model": "none"}).status_code == 404
