from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from service.app import create_app
from service.settings import Settings


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """The service with the models that ship."""
    with TestClient(create_app(Settings())) as client:
        yield client
