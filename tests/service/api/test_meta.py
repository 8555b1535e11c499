import base64
import re
from hashlib import sha256

import pytest
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


def test_the_documentation_runs_its_own_script_and_no_other(client: TestClient) -> None:
    answer = client.get("/docs")
    policy = answer.headers["content-security-policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", answer.text)
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; script-src 'self' 'sha256-{digest}'; style-src 'self'; ")
    assert "unsafe" not in policy
    assert policy.endswith("frame-ancestors 'self'")


@pytest.mark.parametrize("path", ["/docs", "/metrics", "/openapi.json", "/openapi-3.0.json"])
def test_pages_of_other_origins_may_not_embed_what_is_no_image(client: TestClient, path: str) -> None:
    assert client.get(path).headers["cross-origin-resource-policy"] == "same-origin"
