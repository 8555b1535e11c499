import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from service.api.image import ASK_AGAIN, FOR_EVER
from service.app import create_app
from service.settings import Settings

URL = "/v1/image?class=7&seed=1&index=3&style=0.5,-0.5"


def test_the_image_of_a_url_is_the_one_that_a_post_with_the_same_codes_draws(client: TestClient) -> None:
    posted = client.post("/v1/images", json={"class": "7", "seed": 1, "index": 3, "style": [0.5, -0.5]})
    got = client.get(URL)
    assert got.status_code == 200
    assert got.headers["content-type"] == "image/png"
    assert got.content == posted.content
    assert got.headers["etag"] == posted.headers["etag"]
    assert np.asarray(Image.open(io.BytesIO(got.content))).shape == (28, 28)


def test_a_client_that_has_the_image_is_told_so_without_any_inference(
    client: TestClient, inferences: list[int]
) -> None:
    url = f"{URL}&truncation=0.5"  # which no other test asks for
    etag = client.get(url).headers["etag"]
    assert inferences == [1]
    for named in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = client.get(url, headers={"If-None-Match": named})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == etag
    assert inferences == [1]
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


def test_an_image_that_was_asked_for_before_is_drawn_once(client: TestClient, inferences: list[int]) -> None:
    url = f"{URL}&truncation=0.25"  # which no other test asks for
    first, second = client.get(url), client.get(url)
    assert first.content == second.content
    assert inferences == [1]
    assert "faussaire_cache_hits_total" in client.get("/metrics").text


def test_the_cache_can_be_switched_off(models_dir: Path, inferences: list[int]) -> None:
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small", cache_bytes=0))) as client:
        assert client.get(URL).content == client.get(URL).content
    assert inferences == [1, 1]


def test_an_image_may_be_kept_for_ever_only_where_the_url_names_the_version(client: TestClient) -> None:
    digest = client.get("/v1/models/small").json()["digest"]
    assert client.get(URL).headers["cache-control"] == ASK_AGAIN.decode()
    for version in (digest[:12], digest):
        pinned = client.get(f"{URL}&version={version}")
        assert pinned.headers["cache-control"] == FOR_EVER.decode()
        assert pinned.content == client.get(URL).content
    other = client.get(f"{URL}&version=000000000000")
    assert other.status_code == 404
    assert other.json()["field"] == "version"
    assert digest[:12] in other.json()["detail"]


def test_any_page_may_embed_an_image(client: TestClient) -> None:
    first = client.get(URL)
    again = client.get(URL)  # from memory
    same = client.get(URL, headers={"If-None-Match": first.headers["etag"]})
    assert [answer.status_code for answer in (first, again, same)] == [200, 200, 304]
    assert {answer.headers["cross-origin-resource-policy"] for answer in (first, again, same)} == {"cross-origin"}


def test_every_code_has_a_part_in_the_etag(client: TestClient) -> None:
    urls = [
        "/v1/image?class=7&seed=1",
        "/v1/image?class=8&seed=1",
        "/v1/image?class=7&seed=2",
        "/v1/image?class=7&seed=1&index=1",
        "/v1/image?class=7&seed=1&style=0.5",
        "/v1/image?class=7&seed=1&style=0.25",
        "/v1/image?model=plain&seed=1",
    ]
    assert len({client.get(url).headers["etag"] for url in urls}) == len(urls)
    sheets = [{"seed": 1, "n": 4}, {"seed": 1, "n": 5}, {"seed": 1, "n": 4, "class": "1"}]
    assert len({client.post("/v1/images", json=body).headers["etag"] for body in sheets}) == len(sheets)


@pytest.mark.parametrize(
    ("query", "field", "remedy"),
    [
        ("class=eleven", "class", "Choose one of: 0, 1"),
        ("style=a", "style", "Give numbers"),
        ("style=3", "style.0", "from -1 to 1"),
        ("seed=-1", "seed", "greater than or equal to 0"),
        ("seed=x", "seed", "valid integer"),
        ("version=xyz", "version", "match pattern"),
        ("n=3", "n", "use POST /v1/images"),
    ],
)
def test_what_cannot_be_is_refused_by_its_parameter_with_the_remedy(
    client: TestClient, query: str, field: str, remedy: str
) -> None:
    answer = client.get(f"/v1/image?{query}")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["field"] == field
    assert remedy in answer.json()["detail"]
