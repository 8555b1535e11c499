"""What serves is under licences that let anybody serve with it."""

import re
import sys

import pytest

from container.licences import NOT_INSTALLED, REQUIREMENTS, page, table
from service.settings import ROOT

FREE = re.compile(r"Apache|MIT|BSD|ISC|PSF|Python Software Foundation|MPL|Mozilla|Zlib|CC0|Unlicense")
BINDING = re.compile(r"\bA?GPL|LGPL|Affero|SSPL|Commons Clause|Proprietary", re.IGNORECASE)


def test_each_package_has_a_licence_that_binds_nobody() -> None:
    terms = table(REQUIREMENTS)
    assert len(terms) > 50
    unfit = {name: one for name, one in terms.items() if not FREE.search(one) or BINDING.search(one)}
    assert {name: one for name, one in unfit.items() if one != NOT_INSTALLED} == {}


@pytest.mark.skipif(sys.platform != "linux", reason="other systems install other packages")
def test_the_page_lists_what_is_installed() -> None:
    assert (ROOT / "docs" / "licences.md").read_text(encoding="utf-8") == page()
