"""The page as it is served. `make page-test` drives it in a browser."""

import re

import pytest
from starlette.testclient import TestClient

from service.api.page import FOLDER, MEDIA_TYPES

MOST_BYTES = 60_000
"""As they are sent to a browser."""
FILES = sorted(path.name for path in FOLDER.iterdir())
ELSEWHERE = re.compile(r"""https?:|["'`(]/[\w.]{2}|["'`(]//""")
"""An address on another host, or one that a path prefix would break."""
OWN_NAMES = ("http://www.w3.org/2000/svg",)


def test_the_page_is_small(client: TestClient) -> None:
    heads = [
        client.head(path, headers={"Accept-Encoding": "gzip"}) for path in ("/", *(f"/page/{name}" for name in FILES))
    ]
    assert sum(int(head.headers["content-length"]) for head in heads) < MOST_BYTES


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("br", None), ("gzip;q=0", None), ("", None)])
def test_a_file_is_compressed_for_those_who_take_it(client: TestClient, accepted: str, encoding: str | None) -> None:
    answer = client.get("/page/style.css", headers={"Accept-Encoding": accepted})
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == (FOLDER / "style.css").read_bytes()


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_the_page_names_no_other_host_and_no_root(name: str) -> None:
    text = re.sub(r"^\s*// .*$", "", (FOLDER / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    for own in OWN_NAMES:
        text = text.replace(own, "")
    assert ELSEWHERE.findall(text) == []


@pytest.mark.parametrize("path", ["/", *(f"/page/{name}" for name in FILES)])
def test_a_file_of_the_page_is_served_with_its_type_and_a_strict_policy(client: TestClient, path: str) -> None:
    answer, head = client.get(path), client.head(path)
    assert answer.status_code == head.status_code == 200
    assert head.content == b""
    assert answer.headers["content-type"] in {media_type.decode() for media_type in MEDIA_TYPES.values()}
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/", "/page/main.js"])
def test_a_browser_that_has_a_file_gets_304(client: TestClient, path: str) -> None:
    first = client.get(path)
    assert first.headers["cache-control"] == "no-cache"
    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])


@pytest.mark.parametrize("path", ["/page/none.js", "/page/..%2fapp.py", "/page", "/page/main.js/more"])
def test_the_page_has_no_other_files(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_page_links_to_the_documentation_of_the_api(client: TestClient) -> None:
    assert 'href="docs"' in client.get("/").text


def test_every_module_is_named_by_the_page_so_that_none_waits_for_another() -> None:
    named = re.findall(r'href="page/([\w.]+\.js)"', (FOLDER / "index.html").read_text(encoding="utf-8"))
    assert sorted([*named, "main.js"]) == [name for name in FILES if name.endswith(".js")]
