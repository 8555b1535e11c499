"""Nothing moves away under a visitor's hand while parts of the page are drawn."""

from typing import Any

import pytest

from tests.page.conftest import Visit

PARTS = ("#one", "#many", "#grid", "#way", "#hand", "#set")

SHIFTS = """() => {
    window.shifted = [];
    const inFoot = (node) => (node?.nodeType === 1 ? node : node?.parentElement)?.closest("footer");
    new PerformanceObserver((list) => {
        const nodes = list.getEntries().flatMap((entry) => entry.sources.map((source) => source.node));
        window.shifted.push(...nodes.filter((node) => !inFoot(node)).map((node) => node?.id ?? String(node)));
    }).observe({ type: "layout-shift" });
}"""
"""The bar at the foot shows each request's cost, and moves."""


@pytest.mark.parametrize("width", [1440, 360])
def test_the_layout_stays_while_the_parts_are_drawn(new_context: Any, url: str, width: int) -> None:
    visit = Visit(new_context(viewport={"width": width, "height": 740}), url)
    visit.open()
    visit.page.wait_for_load_state("networkidle")
    visit.page.evaluate(SHIFTS)
    height = visit.page.evaluate("document.documentElement.scrollHeight")
    for part in PARTS:
        visit.box(part)
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("document.documentElement.scrollHeight") == height
    assert visit.page.evaluate("window.shifted") == []
    visit.check()
