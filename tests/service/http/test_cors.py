from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings

PAGE = "https://example.org"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


@pytest.fixture(scope="module", params=[f"{PAGE}/, http://localhost:8000", "*"])
def client(models_dir: Path, request: pytest.FixtureRequest) -> Iterator[TestClient]:
    settings = Settings(models_dir=models_dir, default_model="small", cors_origins=request.param)
    with TestClient(create_app(settings)) as client:
        yield client


def test_an_allowed_page_may_ask_and_sees_our_headers(client: TestClient) -> None:
    asked = client.options("/v1/images", headers=PREFLIGHT | {"origin": PAGE})
    assert asked.status_code == 204
    assert asked.headers["access-control-allow-origin"] in {PAGE, "*"}
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert "content-type" in asked.headers["access-control-allow-headers"].lower()
    for body, status in (({"class": "7"}, 200), ({"class": "eleven"}, 422)):
        answer = client.post("/v1/images", json=body, headers={"origin": PAGE})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] in {PAGE, "*"}
        assert "faussaire-seed" in answer.headers["access-control-expose-headers"].lower()


def test_a_page_may_read_a_file_in_ranges(client: TestClient) -> None:
    url = "/v1/datasets/part-00000-of-00001.parquet?n=3"
    asked = client.options(url, headers=PREFLIGHT | {"origin": PAGE, "access-control-request-method": "GET"})
    assert "Range, If-Range" in asked.headers["access-control-allow-headers"]
    answer = client.get(url, headers={"origin": PAGE, "range": "bytes=-8"})
    assert answer.status_code == 206
    assert "Accept-Ranges, Content-Range" in answer.headers["access-control-expose-headers"]


def test_another_page_may_not(client: TestClient) -> None:
    for origin in ("https://example.org.evil.example", "null", "http://example.org"):
        for answer in (
            client.options("/v1/images", headers=PREFLIGHT | {"origin": origin}),
            client.get("/v1/models", headers={"origin": origin}),
        ):
            assert answer.headers.get("access-control-allow-origin") in {None, "*"}
            assert answer.headers.get("vary", "*") in {"Origin", "*"}


def test_an_answer_that_depends_on_the_origin_says_so_even_without_one(client: TestClient) -> None:
    answer = client.get("/v1/models")
    assert ("vary" in answer.headers) == (answer.headers.get("access-control-allow-origin") != "*")


def test_without_the_setting_no_answer_speaks_of_origins(models_dir: Path) -> None:
    with TestClient(create_app(Settings(models_dir=models_dir, default_model="small"))) as client:
        assert client.options("/v1/images", headers=PREFLIGHT | {"origin": PAGE}).status_code == 405
        answer = client.get("/v1/models", headers={"origin": PAGE})
        assert not [name for name in answer.headers if name.startswith("access-control") or name == "vary"]
