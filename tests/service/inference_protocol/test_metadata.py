from pathlib import Path

import pytest
from starlette.testclient import TestClient

from latent import VERSION
from service.app import create_app
from service.settings import Settings
from tests.conftest import NOISE


def test_the_server_tells_what_it_speaks(client: TestClient) -> None:
    told = {"name": "faussaire", "version": VERSION, "extensions": ["binary_tensor_data"]}
    assert client.get("/v2").json() == client.get("/v2/").json() == told
    assert client.get("/v2/health/live").json() == {"live": True}
    assert client.get("/v2/health/ready").json() == {"ready": True}


def test_a_model_tells_its_tensors_and_versions(client: TestClient) -> None:
    digest = client.get("/v1/models/small").json()["digest"]
    told = client.get("/v2/models/small").json()
    assert told == client.get(f"/v2/models/small/versions/{digest[:12]}").json()
    assert told == {
        "name": "small",
        "versions": [digest[:12]],
        "platform": "onnx_onnxv1",
        "inputs": [
            {"name": "noise", "datatype": "FP32", "shape": [-1, NOISE]},
            {"name": "classes", "datatype": "INT64", "shape": [-1]},
            {"name": "styles", "datatype": "FP32", "shape": [-1, 2]},
        ],
        "outputs": [
            {"name": "image", "datatype": "UINT8", "shape": [-1, 28, 28, 1]},
            {"name": "png", "datatype": "BYTES", "shape": [-1]},
        ],
    }
    assert [one["name"] for one in client.get("/v2/models/plain").json()["inputs"]] == ["noise"]


@pytest.mark.parametrize(("model", "status"), [("small", 200), ("none", 404), ("small/versions/0123456789ab", 404)])
def test_a_model_is_ready_if_it_is_served(client: TestClient, model: str, status: int) -> None:
    assert client.get(f"/v2/models/{model}/ready").status_code == status


def test_its_probes_need_no_key_and_what_draws_does(models_dir: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text('{"keys": {}}')
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small", keys_file=keys))) as client:
        assert client.get("/v2/health/ready").status_code == 200
        refused = client.post("/v2/models/small/infer", json={"inputs": []})
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"
    assert refused.json()["error"].startswith("Authorization: ")
