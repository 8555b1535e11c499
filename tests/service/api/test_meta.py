import pytest
from starlette.testclient import TestClient


def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert '"/' not in page
    operation = client.get("/openapi.json").json()["paths"]["/v1/images"]["post"]
    assert "image/png" in operation["responses"]["200"]["content"]


@pytest.mark.parametrize(("path", "root"), [("/docs", "./"), ("/docs/", "../")])
def test_the_documentation_works_behind_a_prefix(client: TestClient, path: str, root: str) -> None:
    assert f'<base href="{root}">' in client.get(path).text
