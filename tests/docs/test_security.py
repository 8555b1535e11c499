"""SECURITY.md claims what settings and tests hold."""

import re

import pytest

from service.settings import Settings
from tests.docs import markdown
from tests.docs.markdown import ROOT

PAGE = markdown.page("SECURITY.md")
ROWS = markdown.table(PAGE, "danger")


def test_every_setting_that_is_named_exists() -> None:
    known = {f"FAUSSAIRE_{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(r"FAUSSAIRE_\w+", PAGE)) <= known


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_danger_has_a_test_that_exists(row: list[str]) -> None:
    named = re.fullmatch(r"`(.*)::(test_\w+)`", row[3])
    assert named is not None
    assert f"def {named[2]}(" in (ROOT / named[1]).read_text(encoding="utf-8")
