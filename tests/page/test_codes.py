"""Turning the codes: what is seen is what the API draws, to the pixel."""

import json
from typing import Any

import httpx
import numpy as np
import pytest

from latent import LatentSpace
from latent.noise import draw_noise
from latent.space import NoiseDistribution
from tests.page.conftest import MODEL, Visit, dial, drawn, style_of, value_at

FIRST: dict[str, Any] = {"model": MODEL, "class": "0", "style": [0, 0], "seed": 18}


def test_ten_classes_move_under_the_mouse_and_return(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    still = [drawn(service, **FIRST | {"class": str(digit)}) for digit in range(10)]
    tiles = [f".tile:nth-of-type({digit + 1}) canvas" for digit in range(10)]
    for tile, pixels in zip(tiles, still, strict=True):
        visit.wait_for_pixels(f"#stage-tiles {tile}", pixels)
    visit.point_at("#stage-frame", 0.75, 0.5)
    style = [value_at(service, "thickness", 0.75), value_at(service, "slant", 0.5)]
    for digit, tile in enumerate(tiles):
        visit.wait_for_pixels(f"#stage-tiles {tile}", drawn(service, **FIRST | {"class": str(digit), "style": style}))
    visit.page.mouse.move(5, 5)
    for tile, pixels in zip(tiles, still, strict=True):
        visit.wait_for_pixels(f"#stage-tiles {tile}", pixels)


def test_a_slider_changes_the_pixels_and_says_its_value(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.wait_for_pixels("#one", drawn(service, **FIRST))
    slant = value_at(service, "slant", 0.8)
    visit.slide("slant", slant)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [0, slant]}))
    row = visit.page.locator(".dial", has_text="slant")
    assert row.locator("output").inner_text() == f"{slant:g}"
    assert f"measured {style_of(service, 'slant')['effect']}" in row.inner_text()


def test_a_blend_by_weight_is_drawn(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.page.get_by_role("button", name="4", exact=True).last.click()
    visit.page.get_by_text("Blend by weight").click()
    visit.slide("9", 0.5)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"class": {"4": 1, "9": 0.5}}))
    assert "a blend" in visit.text("#copy-img")


def test_the_pad_moves_two_codes_by_mouse_and_by_keys(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.point_at("#pad", 0.75, 0.25)
    visit.page.mouse.down()
    visit.page.mouse.up()
    styles = [
        visit.page.locator(".dial", has_text=name).locator("output").inner_text() for name in ("thickness", "slant")
    ]
    thickness, slant = map(float, styles)
    assert thickness == pytest.approx(value_at(service, "thickness", 0.75), abs=0.02)
    assert slant == pytest.approx(value_at(service, "slant", 0.75), abs=0.02)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [thickness, slant]}))
    visit.page.locator("#pad").focus()
    visit.page.keyboard.press("ArrowLeft")
    twentieth = value_at(service, "thickness", 0.05) - value_at(service, "thickness", 0)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [round(thickness - twentieth, 3), slant]}))


def test_the_noise_walks_from_the_seed_to_its_neighbour(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.slide("noise 1", 1)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": 19}))
    visit.slide("noise 2", -1)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": 2**63 + 18 + 1 - 100}))
    visit.slide("noise 1", 0.5)
    curl = visit.text("#copy-curl")
    noise = json.loads(curl[curl.index("{") : curl.rindex("}") + 1])["noise"]
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"noise": noise}))


NOISE = """async ([size, distribution, seed, index]) => {
    const { noiseOf } = await import("./page/noise.js");
    return noiseOf({ noise_size: size, noise_distribution: distribution }, BigInt(seed), BigInt(index));
}"""


@pytest.mark.parametrize("distribution", NoiseDistribution)
@pytest.mark.parametrize(("size", "seed", "index"), [(62, 0, 0), (5, 42, 7), (63, 2**63 - 1, 2**62 - 1)])
def test_the_page_draws_the_noise_of_a_seed_as_the_service_does(
    visit: Visit, size: int, seed: int, index: int, distribution: NoiseDistribution
) -> None:
    visit.open()
    drawn_there = visit.page.evaluate(NOISE, [size, distribution.value, str(seed), str(index)])
    expected = draw_noise(LatentSpace(noise_size=size, noise_distribution=distribution), seed, index, 1)[0]
    assert np.allclose(drawn_there, expected, atol=1e-6)


def test_dice_lock_undo_and_redo(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    page = visit.page
    assert page.is_disabled("#undo")
    page.click("#dice")
    seed = page.input_value("#seed")
    assert seed != "18"
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": int(seed)}))
    page.click("#undo")
    visit.wait_for_pixels("#one", drawn(service, **FIRST))
    assert page.input_value("#seed") == "18"
    page.click("#redo")
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": int(seed)}))
    page.click("#lock")
    assert page.is_disabled("#dice")
    page.keyboard.press("r")
    assert page.input_value("#seed") == seed
    page.locator("#strip button").last.click()
    visit.wait_for_pixels("#one", drawn(service, **FIRST))


def test_a_held_key_is_one_change_to_undo(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.wait_for_pixels("#one", drawn(service, **FIRST))
    dial(visit.page, "slant").focus()
    for _ in range(30):
        visit.page.keyboard.down("ArrowRight")
    visit.page.keyboard.up("ArrowRight")
    farthest = value_at(service, "slant", 0.8)
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [0, farthest]}))
    assert f"style.slant={farthest:g}" in visit.page.url
    for slant in (value_at(service, "slant", 0.51), 0):  # the first step, and none
        visit.page.click("#undo")
        visit.wait_for_pixels("#one", drawn(service, **FIRST | {"style": [0, slant]}))
    assert visit.page.is_disabled("#undo")


def test_the_digits_of_the_keyboard_choose_ten_named_classes(visit: Visit) -> None:
    visit.open("#model=fashion-cgan&seed=1")
    for key, name in (("1", "ankle-boot"), ("0", "trouser")):
        visit.page.keyboard.press(key)
        visit.page.wait_for_function(f"() => location.hash.includes('class.{name}=1')")


def test_the_largest_seed_is_kept_to_its_last_digit(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.page.fill("#seed", str(2**63 - 1))
    visit.page.keyboard.press("Enter")
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": 2**63 - 1}))
    assert f"seed={2**63 - 1}" in visit.page.url


def test_a_seed_that_is_none_is_refused_in_words_until_it_is_mended(visit: Visit) -> None:
    visit.open()
    for wrong in ("abc", "-1", str(2**63)):
        visit.page.fill("#seed", wrong)
        visit.page.keyboard.press("Enter")
        assert "a whole number from 0" in visit.page.evaluate("document.querySelector('#seed').validationMessage")
    visit.page.click("#dice")
    visit.page.wait_for_function("() => document.querySelector('#seed').validity.valid")
    assert visit.page.input_value("#seed") in visit.page.url


def test_a_shared_link_restores_the_state_to_the_pixel(visit: Visit, service: httpx.Client, new_context: Any) -> None:
    visit.open()
    page = visit.page
    page.keyboard.press("8")
    slant = value_at(service, "slant", 0.3)
    visit.slide("slant", slant)
    visit.slide("variety", 0.8)
    page.click("#pin-to")
    body = FIRST | {"class": "8", "style": [0, slant]}
    truncation = float(page.locator(".dial", has_text="variety").locator("output").inner_text())
    expected = drawn(service, **body | {"truncation": truncation})
    visit.wait_for_pixels("#one", expected)
    page.wait_for_load_state("networkidle")
    before = visit.pixels("#way-to")
    other = Visit(new_context(), page.url)
    other.page.goto(visit.text("#copy-link"))
    other.wait_for_pixels("#one", expected)
    other.box("#way")
    other.wait_for_pixels("#way-to", before)
    other.errors.clear()
    assert other.page.url == page.url


def test_many_seeds_and_the_traversal_show_what_a_choice_takes(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.box("#many")
    visit.page.locator("#many .tile").nth(4).click()
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": 5}))
    visit.box("#grid")
    thickness = value_at(service, "thickness", 0.7)
    visit.page.get_by_role("button", name=f"7, thickness {thickness:g}", exact=True).click()
    expected = drawn(service, **FIRST | {"class": "7", "style": [thickness, 0], "seed": 5})
    visit.wait_for_pixels("#one", expected)
    visit.wait_for_pixels("#grid .tile:nth-of-type(85) canvas", expected)
    assert visit.page.is_disabled("#many-back")
    visit.page.click("#many-next")
    visit.page.get_by_role("button", name="seed 61", exact=True).wait_for()
    visit.page.click("#many-back")
    visit.page.get_by_role("button", name="seed 1", exact=True).wait_for()
    assert visit.page.is_disabled("#many-back")


def test_the_way_between_two_pins_is_scrubbed_played_and_saved(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    page = visit.page
    page.click("#pin-from")
    page.keyboard.press("9")
    page.click("#pin-to")
    visit.box("#way")
    visit.wait_for_pixels("#way-from", drawn(service, **FIRST))
    visit.wait_for_pixels("#way-to", drawn(service, **FIRST | {"class": "9"}))
    page.locator("#way-share").fill("47")
    visit.wait_for_pixels("#way", drawn(service, **FIRST | {"class": "9"}))
    page.click("#way-play")
    page.wait_for_function("() => document.querySelector('#way-share').value < 40")
    page.click("#way-play")
    for kind, start in {"webp": b"RIFF", "apng": b"\x89PNG", "gif": b"GIF8", "sheet": b"\x89PNG"}.items():
        page.select_option("#way-format", kind)
        with page.expect_download() as download:
            page.click("#way-save")
        assert download.value.path().read_bytes().startswith(start)


def test_a_version_of_a_link_that_is_gone_is_said(visit: Visit) -> None:
    visit.open(f"#model={MODEL}&version=000000000000&seed=1&class.3=1")
    visit.wait_for_text("#notice", "version 000000000000 is no longer served")


NONSENSE = {
    "no state": "#%%%",
    "no numbers": "#seed=x&class.=y&from={",
    "no such model": "#model=none&seed=-1",
    "short noise": "#drift=1&noise=2,a&seed=1",
    "large noise": "#seed=1&noise=" + ",".join(["5"] * 62),
    "no noise": "#seed=1&noise=" + ",".join(["a"] * 62),
    "large seed": f"#seed={2**63}",
    "large index": f"#seed=1&index={2**62}",
    "negative truncation": "#seed=1&truncation=-5",
    "large weight": "#seed=1&class.3=1e300&class.4=1",
    "pin": "#seed=1&from=5",
}


@pytest.mark.parametrize("hash_", NONSENSE.values(), ids=list(NONSENSE))
def test_an_address_that_makes_no_sense_does_no_harm(visit: Visit, service: httpx.Client, hash_: str) -> None:
    visit.open(hash_)
    visit.box("#way")
    visit.page.wait_for_load_state("networkidle")
    assert "Input should" not in visit.text("#notice")
    visit.page.keyboard.press("0")
    visit.slide("slant", 0)
    seed = int(visit.page.input_value("#seed"))
    visit.wait_for_pixels("#one", drawn(service, **FIRST | {"seed": seed}))
