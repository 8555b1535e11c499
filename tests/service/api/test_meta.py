import re

from starlette.testclient import TestClient


def test_the_documentation_loads_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs").text
    assert "https://" not in page
    assert '"/' not in page
    operation = client.get("/openapi.json").json()["paths"]["/v1/images"]["post"]
    assert "image/png" in operation["responses"]["200"]["content"]


def test_the_documentation_works_behind_a_prefix(client: TestClient) -> None:
    addresses = re.findall(r'(?:href|src|url)[=:] ?"([^"]+)"', client.get("/docs").text)
    assert len(addresses) == 4
    assert not [address for address in addresses if address.startswith(("/", "http"))]
    slashed = client.get("/docs/", follow_redirects=False)  # from here they would lead elsewhere
    assert (slashed.status_code, slashed.headers["location"]) == (307, "../docs")
