"""README and docs: every command is answered as the page says, and every link leads somewhere."""

import pytest
from starlette.testclient import TestClient

from tests.docs import markdown
from tests.docs.curl import answers
from tests.docs.markdown import ROOT

PAGES = ["README.md", "SECURITY.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
SENDING = [page for page in PAGES if "\ncurl " in markdown.page(page)]


@pytest.mark.parametrize("page", SENDING)
def test_every_command_is_answered_as_the_page_says(client: TestClient, page: str) -> None:
    for command, answer in answers(client, page):
        kind = answer.headers["content-type"].split(";")[0]
        assert (answer.status_code, kind) == (command.status, command.kind or kind), command.url


def test_pages_with_commands_are_these() -> None:
    assert SENDING == ["README.md", "docs/api.md", "docs/upgrades.md"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file_and_a_heading(page: str) -> None:
    for link in markdown.links(markdown.page(page)):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        assert target.exists(), link
        if anchor:
            assert anchor in markdown.anchors(target.read_text(encoding="utf-8")), link
