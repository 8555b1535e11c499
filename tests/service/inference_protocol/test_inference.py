"""Inference by tensors, as JSON and as bytes: the images are those of the native API."""

import io
import json
import zipfile
from typing import Any

import numpy as np
import pytest
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.conftest import NOISE
from tests.service.conftest import MAX_IMAGES

INFER = "/v2/models/small/infer"
LENGTH = "Inference-Header-Content-Length"
DATATYPES = {"noise": ("FP32", np.float32), "classes": ("INT64", np.int64), "styles": ("FP32", np.float32)}


def native(client: TestClient, **body: object) -> NDArray[np.uint8]:
    content = client.post("/v1/images", json=body | {"format": "npy"}).content
    images: NDArray[np.uint8] = np.load(io.BytesIO(content))
    return images


def tensor(name: str, array: NDArray[Any]) -> dict[str, Any]:
    return {"name": name, "shape": array.shape, "datatype": DATATYPES[name][0]}


def infer(client: TestClient, path: str = INFER, **body: Any) -> Response:
    response: Response = client.post(path, json={"inputs": []} | body)
    return response


def infer_bytes(client: TestClient, arrays: dict[str, NDArray[Any]], **body: Any) -> Response:
    """Send the arrays as bytes behind the JSON."""
    inputs = [
        tensor(name, array) | {"parameters": {"binary_data_size": array.nbytes}} for name, array in arrays.items()
    ]
    head = json.dumps({"inputs": inputs} | body).encode()
    content = head + b"".join(array.tobytes() for array in arrays.values())
    response: Response = client.post(INFER, content=content, headers={LENGTH: str(len(head))})
    return response


def image_of(response: Response) -> NDArray[np.uint8]:
    assert response.status_code == 200, response.text
    (output,) = response.json()["outputs"]
    return np.array(output["data"], np.uint8).reshape(output["shape"])


def parts(response: Response) -> tuple[dict[str, Any], bytes]:
    """The JSON, and the bytes behind it."""
    assert response.status_code == 200, response.text
    length = int(response.headers[LENGTH])
    return json.loads(response.content[:length]), response.content[length:]


def test_what_is_left_out_is_drawn_by_the_seed_as_the_native_api_draws(client: TestClient) -> None:
    response = infer(client, id="mine", parameters={"seed": 5, "index": 2, "n": 3, "truncation": 0.5})
    assert (image_of(response) == native(client, seed=5, index=2, n=3, truncation=0.5)).all()
    told = response.json()
    assert told["id"] == "mine"
    assert told["model_name"] == "small"
    assert told["parameters"] == {"seed": 5, "index": 2}
    assert response.headers["Faussaire-Model"] == f"small@{told['model_version']}"


def test_without_a_seed_the_service_tells_the_one_that_it_chose(client: TestClient) -> None:
    response = infer(client)
    assert (image_of(response) == native(client, seed=response.json()["parameters"]["seed"])).all()


@given(st.integers(1, 9), st.sets(st.sampled_from(sorted(DATATYPES))), st.booleans(), st.integers(0, 2**63 - 1))
def test_tensors_as_json_and_as_bytes_are_the_items_of_the_native_api(
    client: TestClient, count: int, given_names: set[str], flat: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    every: dict[str, NDArray[Any]] = {
        "noise": rng.uniform(-1, 1, (count, NOISE)).astype(np.float32),
        "classes": rng.integers(0, 10, count),
        "styles": rng.uniform(-0.5, 1, (count, 2)).astype(np.float32),
    }
    arrays = {name: every[name] for name in sorted(given_names)}
    names = {"noise": "noise", "classes": "class", "styles": "style"}
    items = [{names[name]: array[k].tolist() for name, array in arrays.items()} for k in range(count)]
    expected = native(client, items=items, seed=seed)
    parameters = {"seed": seed, "n": count}
    inputs = [
        tensor(name, array) | {"data": (array.ravel() if flat else array).tolist()} for name, array in arrays.items()
    ]
    assert (image_of(infer(client, inputs=inputs, parameters=parameters)) == expected).all()
    assert (image_of(infer_bytes(client, arrays, parameters=parameters)) == expected).all()


def test_images_and_files_come_as_bytes(client: TestClient) -> None:
    outputs = [{"name": name, "parameters": {"binary_data": True}} for name in ("png", "image")]
    told, content = parts(infer(client, parameters={"seed": 1, "n": 3}, outputs=outputs))
    png, image = told["outputs"]
    assert (png["datatype"], png["shape"], image["datatype"]) == ("BYTES", [3], "UINT8")
    sizes = [output["parameters"]["binary_data_size"] for output in told["outputs"]]
    assert sum(sizes) == len(content)
    assert content[sizes[0] :] == native(client, seed=1, n=3).tobytes()
    archive = zipfile.ZipFile(io.BytesIO(client.post("/v1/images", json={"seed": 1, "n": 3, "format": "zip"}).content))
    rest = content[: sizes[0]]
    for place in range(3):
        size = int.from_bytes(rest[:4], "little")
        assert rest[4 : 4 + size] == archive.read(f"{place:04d}.png")
        rest = rest[4 + size :]
    assert rest == b""


def test_one_parameter_has_all_outputs_come_as_bytes(client: TestClient) -> None:
    told, content = parts(infer(client, parameters={"seed": 1, "binary_data_output": True}))
    assert told["outputs"][0]["parameters"] == {"binary_data_size": len(content)}
    assert content == native(client, seed=1).tobytes()


def test_given_noise_is_recorded_in_the_file(client: TestClient) -> None:
    noise = np.full((1, NOISE), 0.5, np.float32)
    outputs = [{"name": "png", "parameters": {"binary_data": True}}]
    _, content = parts(infer_bytes(client, {"noise": noise}, parameters={"seed": 1}, outputs=outputs))
    assert client.post("/v1/verify", content=content[4:]).json()["verified"] is True
    assert client.post("/v1/codes", content=content[4:]).json()["noise"] == [0.5] * NOISE


def numbers(data: object, *shape: int, name: str = "classes", **more: object) -> dict[str, Any]:
    return {"inputs": [{"name": name, "shape": shape, "datatype": DATATYPES[name][0], "data": data} | more]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"parameters": {"sead": 1}}, "parameters.sead"),
        ({"parameters": {"seed": -1}}, "parameters.seed"),
        ({"parameters": {"n": MAX_IMAGES + 1}}, "parameters.n"),
        ({"parameters": {"n": 2}} | numbers([1], 1), "parameters.n"),
        (numbers([1], 1, name="classes", datatype="FP64"), "inputs.0.datatype"),
        (numbers([1], 1, 1), "inputs.0.shape"),
        (numbers([], 0), "inputs.0.shape"),
        (numbers([1, 2], 1), "inputs.0.data"),
        (numbers(["1"], 1), "inputs.0.data"),
        (numbers([True], 1), "inputs.0.data"),
        (numbers([1.5], 1), "inputs.0.data"),
        (numbers([10**30], 1), "inputs.0.data"),
        (numbers([[1], [2, 3]], 3), "inputs.0.data"),
        (numbers(None, 1), "inputs.0.data"),
        (numbers([10], 1), "classes"),
        (numbers([-1], 1), "classes"),
        (numbers([[1e39, 0]], 1, 2, name="styles"), "styles"),
        (numbers([[0, 2.5]], 1, 2, name="styles"), "styles"),
        (numbers([2.0] * NOISE, 1, NOISE, name="noise"), "noise"),
        (numbers([1], 1, parameters={"shared_memory_region": "x"}), "inputs.0.parameters.shared_memory_region"),
        (numbers([1], 1, parameters={"binary_data_size": 8}), "inputs.0.data"),
        ({"inputs": [{"name": "z", "shape": [1], "datatype": "FP32", "data": [1]}]}, "inputs.0.name"),
        ({"inputs": 2 * numbers([1], 1)["inputs"]}, "inputs.1.name"),
        ({"outputs": []}, "outputs"),
        ({"outputs": [{"name": "picture"}]}, "outputs.0.name"),
        ({"outputs": [{"name": "image"}, {"name": "image"}]}, "outputs"),
        ({"outputs": [{"name": "png"}]}, "outputs.0.parameters.binary_data"),
    ],
)
def test_what_is_wrong_is_named_in_the_protocols_form(client: TestClient, body: dict[str, Any], field: str) -> None:
    response = infer(client, **body)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/json"
    told = response.json()
    assert told.keys() == {"error"}
    assert told["error"].startswith(f"{field}: "), told


@pytest.mark.parametrize("length", ["-1", "x", "1_0", "999999"])
def test_a_length_of_the_json_that_the_body_has_not_is_refused(client: TestClient, length: str) -> None:
    response = client.post(INFER, content=b"{}", headers={LENGTH: length})
    assert response.json()["error"].startswith(f"{LENGTH}: ")


@given(st.binary(max_size=600), st.integers(0, 300), st.integers(0, 2**40))
def test_no_bytes_make_it_fail(client: TestClient, behind: bytes, size: int, named: int) -> None:
    head = json.dumps(numbers(None, 1, NOISE, name="noise", parameters={"binary_data_size": min(named, size)})).encode()
    response = client.post(INFER, content=head + behind, headers={LENGTH: str(len(head))})
    assert response.status_code in {200, 422}
    if response.status_code == 200:
        assert len(behind) == 4 * NOISE


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/models/none/infer", 404),
        ("POST", "/v2/models/small/versions/0123456789ab/infer", 404),
        ("GET", "/v2/models/small/infer", 405),
        ("GET", "/v2/models/small/stats", 404),
        ("GET", "/v2/models//ready", 404),
        ("POST", "/v2/repository/index", 404),
    ],
)
def test_every_refusal_has_the_protocols_form(client: TestClient, method: str, path: str, status: int) -> None:
    response = client.request(method, path, json={"inputs": []})
    assert response.status_code == status
    assert response.json().keys() == {"error"}


def test_a_version_may_be_named(client: TestClient) -> None:
    (version,) = client.get("/v2/models/small").json()["versions"]
    response = infer(client, f"/v2/models/small/versions/{version}/infer", parameters={"seed": 4})
    assert (image_of(response) == native(client, seed=4)).all()


def test_a_model_without_codes_takes_noise_alone(client: TestClient) -> None:
    response = infer(client, "/v2/models/plain/infer", parameters={"seed": 4})
    assert (image_of(response) == native(client, seed=4, model="plain")).all()
    refused = infer(client, "/v2/models/plain/infer", **numbers([1], 1))
    assert refused.json()["error"] == "inputs.0.name: A field of the request is not valid. The model takes: noise."


def test_a_body_may_be_as_long_as_a_file(settings: Settings) -> None:
    noise = np.zeros((MAX_IMAGES, NOISE), np.float32)
    with TestClient(create_app(settings.model_copy(update={"max_body_bytes": 1_000}))) as client:
        told, _ = parts(infer_bytes(client, {"noise": noise}, parameters={"binary_data_output": True}))
    assert told["outputs"][0]["shape"][0] == MAX_IMAGES
