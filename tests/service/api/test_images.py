from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.service.conftest import pixels

INVALID: list[tuple[dict[str, Any], int, str, str]] = [
    ({"class": "seven"}, 422, "class", "Choose one of: 0, 1, 2"),
    ({"class": 10}, 422, "class", "Choose one of"),
    ({"class": -1}, 422, "class", "greater than or equal to 0"),
    ({"class": [1]}, 422, "class", "string; or: Input should be a valid integer"),
    ({"class": 1.5}, 422, "class", "valid"),
    ({"class": {}}, 422, "class", "above 0"),
    ({"class": {"1": 0.5, "eleven": 0.5}}, 422, "class", "Choose one of"),
    ({"class": {"1": -0.5}}, 422, "class.1", "greater than or equal to 0"),
    ({"class": {"1": 1e300}}, 422, "class.1", "less than or equal to"),
    ({"model": "plain", "class": {"1": 1}}, 422, "class", "no class codes"),
    ({"noise": [0.5]}, 422, "noise", "62 numbers"),
    ({"noise": [1.5] * 62}, 422, "noise.0", "from -1 to 1"),
    ({"noise": [0, "x"]}, 422, "noise.1", "valid number"),
    ({"truncation": 0}, 422, "truncation", "greater than 0"),
    ({"truncation": 1.01}, 422, "truncation", "less than or equal to 1"),
    ({"truncation": "half"}, 422, "truncation", "valid number"),
    ({"index": 2**62 - 1, "n": 2}, 422, "index", "below"),
    ({"format": "bmp"}, 422, "format", "'zip'"),
    ({"scale": 0}, 422, "scale", "greater than or equal to 1"),
    ({"style": [1.5]}, 422, "style.0", "from -1 to 1"),
    ({"style": {"width": -0.6}}, 422, "style.width", "from -0.5 to 2"),
    ({"style": [0, 0, 0]}, 422, "style", "2 style codes, in this order: slant, width"),
    ({"style": {"colour": 1}}, 422, "style", "slant, width"),
    ({"style": {"slant": "much"}}, 422, "style.slant", "valid number"),
    ({"style": ["much"]}, 422, "style.0", "valid number"),
    ({"style": 1}, 422, "style", "list; or: Input should be a valid dictionary"),
    ({"n": 0}, 422, "n", "greater than or equal to 1"),
    ({"n": 10**9}, 422, "n", "at most 100"),
    ({"n": 1.5}, 422, "n", "integer"),
    ({"n": True}, 422, "n", "integer"),
    ({"seed": "3"}, 422, "seed", "integer"),
    ({"seed": -1}, 422, "seed", "greater than or equal to 0"),
    ({"seed": 2**63}, 422, "seed", "less than"),
    ({"seed": 10**400}, 422, "seed", ""),
    ({"index": -1}, 422, "index", "greater than or equal to 0"),
    ({"model": "gpt"}, 404, "model", "Choose one of: plain, small"),
    ({"model": "plain", "class": "7"}, 422, "class", "no class codes"),
    ({"model": "plain", "style": [0]}, 422, "style", "no style codes"),
    ({"colour": "red"}, 422, "colour", "no such field"),
]


def draw(client: TestClient, **body: Any) -> bytes:
    response = client.post("/v1/images", json=body)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    content: bytes = response.content
    return content


def test_an_empty_request_gives_an_image_and_tells_how_to_have_it_again(client: TestClient) -> None:
    response = client.post("/v1/images", json={})
    assert pixels(response.content).shape == (28, 28)
    assert response.headers["faussaire-model"].startswith("small@")
    again = draw(client, seed=int(response.headers["faussaire-seed"]))
    assert again == response.content


def test_seeds_that_the_server_chooses_differ(client: TestClient) -> None:
    seeds = {client.post("/v1/images", json={}).headers["faussaire-seed"] for _ in range(5)}
    assert len(seeds) == 5


def test_image_k_of_many_is_the_image_of_that_index_alone(client: TestClient) -> None:
    whole = pixels(draw(client, seed=3, n=9))  # three by three
    for index in range(9):
        alone = pixels(draw(client, seed=3, index=index))
        row, column = divmod(index, 3)
        assert np.array_equal(whole[row * 28 :, column * 28 :][:28, :28], alone)


def test_a_class_is_the_same_by_name_and_by_number(client: TestClient) -> None:
    by_name = draw(client, seed=1, **{"class": "7"})
    assert by_name == draw(client, seed=1, **{"class": 7})
    assert by_name != draw(client, seed=1, **{"class": "6"})


def test_style_codes_are_the_same_in_order_and_by_name(client: TestClient) -> None:
    in_order = draw(client, seed=1, style=[0.5, 2])
    assert in_order == draw(client, seed=1, style={"width": 2, "slant": 0.5})
    assert in_order != draw(client, seed=1, style=[0.5, 1.9])


def test_a_style_code_that_is_left_out_is_drawn(client: TestClient) -> None:
    images = {draw(client, seed=1, index=index, style=[0.5], **{"class": 1}) for index in range(3)}
    assert len(images) == 3


def test_a_model_without_codes_draws_from_its_noise(client: TestClient) -> None:
    assert draw(client, model="plain", seed=1) != draw(client, model="plain", seed=2)


@pytest.mark.parametrize(("body", "status", "field", "remedy"), INVALID, ids=[str(i[0])[:40] for i in INVALID])
def test_a_wrong_field_is_named_with_what_would_be_right(
    client: TestClient, body: dict[str, Any], status: int, field: str, remedy: str
) -> None:
    response = client.post("/v1/images", json=body)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["field"] == field
    assert remedy in problem["detail"]
    assert problem["status"] == status
    assert problem["type"].startswith("urn:faussaire:problem:")


def test_the_answer_tells_where_its_time_went(client: TestClient) -> None:
    timing = client.post("/v1/images", json={}).headers["server-timing"]
    assert [part.split(";")[0] for part in timing.split(", ")] == ["queue", "inference", "encode"]


def test_a_full_queue_is_429_with_retry_after(models_dir: Path) -> None:
    settings = Settings(models_dir=models_dir, default_model="small", max_queue_rows=3)
    with TestClient(create_app(settings)) as client:
        response = client.post("/v1/images", json={"n": 4})
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) >= 1
    assert response.json()["type"] == "urn:faussaire:problem:queue-full"
