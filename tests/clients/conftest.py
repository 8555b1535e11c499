"""A real server of the shipped models, and the image that each client of others must get."""

from collections.abc import Iterator

import httpx
import pytest

from service.app import create_app
from service.settings import Settings
from tests.conftest import listening

BODY = {"class": "7", "style": [0.5, -0.5], "seed": 1, "format": "png"}


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    with listening(create_app(Settings())) as url:
        yield url


@pytest.fixture(scope="session")
def expected(url: str) -> bytes:
    return httpx.post(f"{url}/v1/images", json=BODY).raise_for_status().content
