"""Models unlike those that ship: the page is made from what /v1/models says of them."""

from typing import Any

import httpx
import numpy as np
import pytest

from tests.page.conftest import Visit, drawn


@pytest.fixture
def odd(new_context: Any, odd_url: str) -> Any:
    visit = Visit(new_context(), odd_url)
    yield visit
    visit.check()


@pytest.fixture
def client(odd_url: str) -> Any:
    with httpx.Client(base_url=odd_url) as client:
        yield client


def test_a_model_in_colour_of_another_shape_is_drawn_to_the_pixel(odd: Visit, client: httpx.Client) -> None:
    odd.open()
    body: dict[str, Any] = {"model": "coloured", "style": [0, 0, 0], "seed": 18}
    expected = drawn(client, **body | {"class": "class 0"})
    assert expected.shape == (16, 24, 3)
    odd.wait_for_pixels("#one", expected)
    assert odd.page.locator("#stage-tiles .tile").count() == 23
    odd.slide("style 2", 0.5)
    odd.wait_for_pixels("#one", drawn(client, **body | {"class": "class 0", "style": [0, 0, 0.5]}))
    assert "idx" not in odd.page.inner_html("#set-format")
    odd.box("#grid")
    odd.page.wait_for_selector("#grid .tile >> nth=219")
    odd.page.click("#ours-this")
    odd.wait_for_text("#ours-said", "Yes.")


def test_a_model_without_classes_shows_images_of_a_seed(odd: Visit, client: httpx.Client) -> None:
    odd.open("#model=styles-only&seed=1")
    body: dict[str, Any] = {"model": "styles-only", "style": [0], "seed": 1}
    odd.page.locator("#stage-tiles .tile").nth(3).focus()
    odd.page.keyboard.press("Enter")
    odd.wait_for_pixels("#one", drawn(client, **body | {"index": 3}))
    assert odd.page.is_hidden("#class-field")
    odd.box("#grid")
    odd.page.wait_for_selector("#grid .tile >> nth=10")


def test_a_model_without_styles_moves_by_its_noise(odd: Visit, client: httpx.Client) -> None:
    odd.open("#model=classes-only&seed=1")
    assert "noise 1 to the right" in odd.text("#lead")
    still = drawn(client, model="classes-only", seed=1, **{"class": "class 0"})
    odd.wait_for_pixels("#one", still)
    odd.point_at("#stage-frame", 0.9, 0.4)
    odd.page.wait_for_load_state("networkidle")
    assert np.abs(odd.pixels("#one").astype(int) - still).max() > 0
    odd.box("#grid")
    odd.page.get_by_role("button", name="class 1, seed 4", exact=True).click()
    odd.page.mouse.move(5, 5)
    odd.wait_for_pixels("#one", drawn(client, model="classes-only", seed=4, **{"class": "class 1"}))


def test_a_model_of_noise_alone_is_drawn_and_others_read_for_it(odd: Visit, client: httpx.Client) -> None:
    odd.open("#model=plain&seed=1")
    odd.wait_for_pixels("#one", drawn(client, model="plain", seed=1))
    for part in ("#class-field", "#take-sheet", "#grid-style"):
        assert odd.page.is_hidden(part)
    odd.point_at("#hand", 0.3, 0.3)
    odd.page.mouse.down()
    odd.point_at("#hand", 0.6, 0.7)
    odd.page.mouse.up()
    odd.wait_for_text("#hand-read", "What small saw")


def test_a_visitor_goes_from_model_to_model(odd: Visit, client: httpx.Client) -> None:
    odd.open()
    for name in ("plain", "classes-only", "styles-only", "small", "coloured"):
        odd.page.locator(".model", has_text=name).click()
        odd.page.wait_for_function(f"() => location.hash.startsWith('#model={name}&')")
    asked: dict[str, Any] = {"model": "coloured", "seed": 18, "style": [0, 0, 0], "class": "class 0"}
    odd.wait_for_pixels("#one", drawn(client, **asked))
    odd.page.keyboard.press("u")
    odd.page.wait_for_function("() => location.hash.startsWith('#model=small&')")
    odd.wait_for_pixels("#one", drawn(client, model="small", seed=18, style=[0, 0], **{"class": "0"}))
