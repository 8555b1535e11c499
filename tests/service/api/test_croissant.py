import hashlib
from urllib.parse import urlsplit

import pytest
from starlette.testclient import TestClient

DESCRIPTION = "/v1/datasets/croissant.json"


@pytest.mark.parametrize(
    "query", ["n=30&shards=2", "n=30&shards=2&format=idx", "n=30&shards=2&format=webdataset&seed=4"]
)
def test_the_addresses_are_of_shards_that_the_version_draws(client: TestClient, query: str) -> None:
    answer = client.get(f"{DESCRIPTION}?{query}", headers={"Host": "drawn.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/ld+json"
    files = answer.json()["distribution"]
    assert len(files) == 2
    for file in files:
        address = urlsplit(file["contentUrl"])
        assert address.netloc == "drawn.example"
        assert "model=small%40" in address.query
        drawn = client.get(f"{address.path}?{address.query}").content
        plain = client.get(f"/v1/datasets/{file['name']}?{query.replace('&shards=2', '')}").content
        assert hashlib.sha256(drawn).digest() == hashlib.sha256(plain).digest()


def test_styles_and_balance_are_part_of_the_addresses(client: TestClient) -> None:
    (file,) = client.get(f"{DESCRIPTION}?n=9&style=slant:0.5&balance=drawn").json()["distribution"]
    assert "style=slant%3A0.5" in file["contentUrl"]
    assert "balance=drawn" in file["contentUrl"]


@pytest.mark.parametrize(
    ("query", "field"), [("shards=0", "shards"), ("shards=1001", "shards"), ("style=smile:1", "style"), ("x=1", "x")]
)
def test_what_is_wrong_is_named(client: TestClient, query: str, field: str) -> None:
    answer = client.get(f"{DESCRIPTION}?{query}")
    assert answer.status_code == 422
    assert answer.json()["field"].startswith(field)


def test_a_model_that_is_not_served_is_404(client: TestClient) -> None:
    assert client.get(f"{DESCRIPTION}?model=none").status_code == 404
