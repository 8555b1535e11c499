"""Everyone can use the page: by keyboard alone, on any screen, in any colours, and axe finds nothing."""

from typing import Any

import httpx
import pytest

from tests.page.conftest import Visit, value_at

SIZES = {"desk": (1440, 900), "tablet": (768, 1024), "phone": (360, 740)}


def opened(new_context: Any, url: str, size: str, **options: Any) -> Visit:
    width, height = SIZES[size]
    touch = size != "desk"
    visit = Visit(new_context(viewport={"width": width, "height": height}, has_touch=touch, **options), url).open()
    for part in ("#many", "#grid", "#way", "#hand", "#set"):
        visit.box(part)
    visit.page.click("#ours-this")
    visit.wait_for_text("#ours-said", "Yes.")
    visit.page.wait_for_load_state("networkidle")
    return visit


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing(new_context: Any, url: str, axe: str, size: str, scheme: str) -> None:
    visit = opened(new_context, url, size, color_scheme=scheme)
    visit.page.get_by_text("Blend by weight").click()
    visit.page.evaluate(axe)  # not a script element, which the page's policy forbids
    found = visit.page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    assert len(found["passes"]) > 20
    assert [(each["id"], each["nodes"][0]["target"]) for each in found["violations"]] == []


@pytest.mark.parametrize("size", SIZES)
def test_the_page_fits_each_screen(new_context: Any, url: str, size: str) -> None:
    visit = opened(new_context, url, size)
    width, height = SIZES[size]
    assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    visit.page.evaluate("scrollTo(0, 0)")
    tiles = [tile.bounding_box() for tile in visit.page.locator("#stage-tiles .tile").all()]
    assert all(box is not None and box["y"] + box["height"] <= height for box in tiles)
    assert min(box["width"] for box in tiles if box is not None) >= 90
    rulers, cost = (visit.page.locator(part).bounding_box() for part in ("#rulers", "#cost"))
    assert rulers is not None
    assert cost is not None
    assert rulers["y"] + rulers["height"] <= cost["y"]  # what the pointer moves is in sight
    visit.check()


def test_a_notice_fits_a_phone(new_context: Any, url: str) -> None:
    visit = Visit(new_context(viewport={"width": 360, "height": 740}, has_touch=True), url)
    visit.open("#model=mnist-infogan&version=000000000000&seed=1")
    visit.wait_for_text("#notice", "is no longer served")
    cut = "[...document.querySelectorAll('footer p')].filter((part) => part.scrollWidth > part.clientWidth)"
    assert visit.page.evaluate(f"{cut}.length") == 0
    visit.page.get_by_role("button", name="Close").click()
    assert visit.page.is_visible("#cost")


def test_every_control_is_reached_by_the_tab_key(visit: Visit) -> None:
    visit.open()
    reached: set[str] = set()
    for _ in range(120):
        visit.page.keyboard.press("Tab")
        reached.add(visit.page.evaluate(NAME))
    wanted = {
        "undo",
        "redo",
        "pad",
        "seed",
        "dice",
        "lock",
        "across",
        "down",
        "many-next",
        "grid-style",
        "pin-from",
        "pin-to",
    }
    wanted |= {
        "way-play",
        "way-share",
        "way-save",
        "hand",
        "hand-file",
        "hand-clear",
        "ours-this",
        "ours-file",
        "set-n",
    }
    wanted |= {"set-format", "set-style", "set-save", "take-image", "take-sheet", "copy-curl", "tile", "model"}
    assert wanted - {"undo", "redo"} <= reached  # nothing to undo yet


NAME = "() => document.activeElement.id || document.activeElement.className"


def test_arrow_keys_walk_over_the_images_and_the_focus_is_seen(visit: Visit) -> None:
    visit.open()
    page = visit.page
    page.locator("#stage-tiles .tile").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.ariaLabel") == "6"
    ring = page.evaluate("getComputedStyle(document.activeElement, '::after').borderTopWidth")
    assert ring == "4px"
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.includes('class.6=1')")


def test_nothing_moves_by_itself(new_context: Any, url: str) -> None:
    visit = Visit(new_context(reduced_motion="reduce"), url).open()
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.evaluate("document.getAnimations().length") == 0
    visit.check()


def test_forced_colours_keep_what_is_chosen(new_context: Any, url: str) -> None:
    visit = Visit(new_context(forced_colors="active"), url).open()
    assert visit.page.locator("#stage-tiles .tile[aria-pressed=true]").count() == 1
    visit.check()


def touch(visit: Visit, *places: tuple[float, float]) -> None:
    """A finger goes over these places and leaves."""
    session = visit.context.new_cdp_session(visit.page)
    for place, (x, y) in enumerate(places):
        kind = "touchMove" if place else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_a_finger_turns_the_codes_by_a_drag_and_not_by_a_tap(new_context: Any, url: str, service: httpx.Client) -> None:
    visit = Visit(new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True), url).open()
    box = visit.box("#stage-frame")
    x, y = box["x"] + box["width"] / 4, box["y"] + box["height"] / 2
    before = visit.page.url
    touch(visit, (x, y), (x + 4, y + 1))
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.url.partition("style.")[2] == before.partition("style.")[2]
    touch(visit, (x, y), (x + 20, y), (x + 40, y), (x + box["width"] / 2, y))
    thickness = value_at(service, "thickness", 0.75)
    visit.page.wait_for_function(f"() => location.hash.includes('style.thickness={thickness:g}&')")
    visit.check()
