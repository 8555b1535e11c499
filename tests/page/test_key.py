"""The page of a service that asks for keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latent.keys import digest_of
from service.app import create_app
from service.settings import Settings
from tests.conftest import listening
from tests.page.conftest import Visit


@pytest.fixture
def keyed(models_dir: Path, tmp_path: Path, new_context: Any) -> Iterator[Visit]:
    keys = tmp_path / "keys.json"
    keys.write_text(f'{{"keys": {{"alice": {{"digest": "{digest_of("secret")}"}}}}}}')
    with listening(create_app(Settings(models_dir=models_dir, default_model="small", keys_file=keys))) as url:
        visit = Visit(new_context(), f"{url}/")
        visit.page.goto(visit.url)
        yield visit
        visit.check()


def give(visit: Visit, key: str) -> None:
    visit.page.locator("#key input").fill(key)
    with visit.page.expect_response(lambda answer: answer.request.headers.get("authorization") == f"Bearer {key}"):
        visit.page.get_by_role("button", name="Use this key").click()


def test_the_page_asks_for_a_key_once_and_keeps_it_in_its_tab(keyed: Visit) -> None:
    give(keyed, "wrong")
    give(keyed, "secret")
    keyed.page.wait_for_selector("#stage-tiles .tile")
    keyed.page.wait_for_load_state("networkidle")
    assert not keyed.page.locator("#key").count()
    keyed.page.reload()
    keyed.page.wait_for_selector("#stage-tiles .tile")
    assert "secret" not in keyed.page.url


def test_a_visitor_without_a_key_is_told_what_is_wrong(keyed: Visit) -> None:
    keyed.page.get_by_role("button", name="Cancel").click()
    keyed.wait_for_text("#notice-text", "Authorization: Bearer KEY")
