"""What may be taken from the service's address: metrics to an address of their own, and pages away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings
from tests.conftest import listening
from tests.end_to_end.conftest import free_port

PAGES = ("/", "/page/main.js", "/docs", "/openapi.json", "/openapi-3.0.json", "/static_content/swagger-ui.css")


def application(models_dir: Path, **settings: Any) -> Any:
    return create_app(Settings(models_dir=models_dir, default_model="small", **settings))


@pytest.fixture
def address() -> str:
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def apart(models_dir: Path, address: str) -> Iterator[str]:
    with listening(application(models_dir, metrics_address=address)) as url:
        yield url


def test_metrics_with_an_address_of_their_own_are_there_alone(apart: str, address: str) -> None:
    assert httpx.get(f"{apart}/metrics").status_code == 404
    there = httpx.get(f"http://{address}/metrics")
    assert there.status_code == 200
    assert "faussaire_requests_total" in there.text
    assert there.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/v1/models", "/v1/image", "/docs", "/livez", "/openapi.json"])
def test_nothing_but_metrics_is_at_their_address(apart: str, address: str, path: str) -> None:
    assert httpx.get(f"{apart}{path}").status_code == 200
    assert httpx.get(f"http://{address}{path}").status_code == 404


def test_the_address_of_metrics_is_free_after_the_end(models_dir: Path, address: str) -> None:
    for _ in range(2):
        with ExitStack() as stack:
            stack.enter_context(listening(application(models_dir, metrics_address=address)))
            client = stack.enter_context(httpx.Client(base_url=f"http://{address}"))
            assert client.get("/metrics").status_code == 200  # over a connection that stays
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://{address}/metrics")


def test_without_pages_the_service_has_its_operations_alone(models_dir: Path) -> None:
    with TestClient(application(models_dir, pages=False)) as client:
        assert {path: client.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 404)
        for path in ("/v1/models", "/v1/image", "/livez", "/readyz", "/metrics"):
            assert client.get(path).status_code == 200
