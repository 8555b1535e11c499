"""Drawings and pictures: they are read, and ours are verified."""

import base64
import io
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.page.conftest import MODEL, Visit, drawn, value_at

MARK = 0xFF, 0x7A, 0x58
SEVEN = [(0.25, 0.2), (0.5, 0.2), (0.75, 0.2), (0.68, 0.35), (0.6, 0.5), (0.52, 0.68), (0.45, 0.85)]


def check_seven(visit: Visit) -> None:
    visit.wait_for_text("#hand-class", "7, ")
    sure = float(visit.text("#hand-class").removeprefix("7, ").partition(" %")[0])
    assert sure > 50
    assert "thickness" in visit.text("#hand-read")


def test_a_drawn_seven_is_read_as_a_seven(visit: Visit) -> None:
    visit.open()
    box = visit.box("#hand")
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    visit.page.mouse.move(*places[0])
    visit.page.mouse.down()
    for place in places[1:]:
        visit.page.mouse.move(*place)
    visit.page.mouse.up()
    check_seven(visit)


def test_a_seven_drawn_by_keys_is_read_as_a_seven(visit: Visit) -> None:
    visit.open()
    visit.page.locator("#hand").focus()
    for keys, times in (("ArrowLeft", 6), ("ArrowUp", 8), (" ", 1), ("ArrowRight", 12), ("ArrowDown", 3)):
        for _ in range(times):
            visit.page.keyboard.press(keys)
    for _ in range(7):
        for key in ("ArrowDown", "ArrowLeft", "ArrowDown"):
            visit.page.keyboard.press(key)
    check_seven(visit)


def test_a_finger_draws(new_context: Any, url: str) -> None:
    visit = Visit(new_context(has_touch=True, viewport={"width": 360, "height": 740}), url).open()
    box = visit.box("#hand")
    session = visit.context.new_cdp_session(visit.page)
    points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in SEVEN]
    session.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points[:1]})
    for point in points[1:]:
        session.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [point]})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    check_seven(visit)
    visit.check()


def photograph(scale: int = 1) -> bytes:
    """A seven in pen on grey paper, as a camera has it."""
    page = Image.new("L", (900 * scale, 1200 * scale), 190)
    strokes = [(scale * (200 + 500 * x), scale * (250 + 700 * y)) for x, y in SEVEN]
    ImageDraw.Draw(page).line(strokes, fill=40, width=45 * scale, joint="curve")
    buffer = io.BytesIO()
    page.save(buffer, "JPEG")
    return buffer.getvalue()


def test_a_dropped_photograph_is_read_and_written_in_its_hand(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    drop(visit, "seven.jpg", "image/jpeg", photograph())
    check_seven(visit)
    codes = service.post(f"/v1/codes?model={MODEL}", content=photograph()).json()
    framed = np.asarray(Image.open(io.BytesIO(base64.b64decode(codes["framed"]))).convert("RGB"))
    visit.wait_for_pixels("#hand-read canvas", framed)
    style = {
        name: min(max(value, value_at(service, name, 0)), value_at(service, name, 1))
        for name, value in codes["styles"].items()
    }
    three = drawn(service, model=MODEL, style=style, seed=18, **{"class": "3"})
    visit.wait_for_pixels("#hand-all .tile:nth-of-type(4) canvas", three)
    visit.page.locator("#hand-all .tile").nth(3).click()
    visit.wait_for_pixels("#one", three)


def test_a_photograph_larger_than_the_service_takes_is_read(visit: Visit, service: httpx.Client) -> None:
    large = photograph(scale=4)
    assert service.post(f"/v1/codes?model={MODEL}", content=large).status_code == 422
    visit.open()
    drop(visit, "seven.jpg", "image/jpeg", large)
    check_seven(visit)


def test_a_picture_of_a_format_that_only_the_browser_reads_is_read(visit: Visit, service: httpx.Client) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(photograph())).save(buffer, "AVIF")
    assert service.post(f"/v1/codes?model={MODEL}", content=buffer.getvalue()).status_code == 415
    visit.open()
    drop(visit, "seven.avif", "image/avif", buffer.getvalue())
    check_seven(visit)


def drop(visit: Visit, name: str, kind: str, content: bytes) -> None:
    transfer = visit.page.evaluate_handle(
        """([name, type, content]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name, { type }));
            return transfer;
        }""",
        [name, kind, base64.b64encode(content).decode()],
    )
    visit.page.dispatch_event("body", "dragover", {"dataTransfer": transfer})
    visit.page.dispatch_event("body", "drop", {"dataTransfer": transfer})


def test_a_picture_of_ours_is_verified_and_its_codes_are_taken(visit: Visit, service: httpx.Client) -> None:
    body = {"class": "5", "style": [1.5, -0.5], "seed": 9_007_199_254_740_993, "index": 3, "truncation": 0.9}
    answer = service.post("/v1/images", json=body | {"model": "fashion-infogan", "class": "bag"})
    picture = service.post("/v1/images", json=body).content if answer.is_error else answer.content
    visit.open()
    drop(visit, "ours.png", "image/png", picture)
    visit.wait_for_text("#ours-said", "Yes. This is one image by")
    pixels = (
        drawn(service, **body)
        if answer.is_error
        else drawn(service, **body | {"model": "fashion-infogan", "class": "bag"})
    )
    for canvas in ("#ours", "#again", "#one"):
        visit.wait_for_pixels(canvas, pixels)
    assert visit.page.input_value("#seed") == str(body["seed"])


SHEETS: list[tuple[str, dict[str, Any]]] = [
    ("/v1/images", {"n": 9, "seed": 4, "class": "4"}),
    ("/v1/images", {"items": [{"class": "1"}, {"class": "2", "seed": 5}], "seed": 1}),
    ("/v1/traversals", {"rows": {"class": ["1", "2"]}, "columns": {"style": "slant"}, "seed": 4, "scale": 2}),
    ("/v1/interpolations", {"from": {"class": "3", "seed": 1}, "to": {"class": "8", "seed": 2}, "frames": 24}),
]


@pytest.mark.parametrize(("path", "body"), SHEETS, ids=["images", "items", "traversal", "interpolation"])
def test_a_sheet_of_ours_is_drawn_again(
    visit: Visit, service: httpx.Client, tmp_path: Path, path: str, body: Any
) -> None:
    picture = tmp_path / "sheet.png"
    picture.write_bytes(service.post(path, json=body | {"format": "sheet"}).content)
    visit.open()
    visit.page.set_input_files("#ours-file", picture)
    visit.wait_for_text("#ours-said", "Yes. This is a sheet of")
    pixels = np.asarray(Image.open(picture).convert("RGB"))
    visit.wait_for_pixels("#ours", pixels)
    visit.wait_for_pixels("#again", pixels)


def test_a_changed_pixel_is_found_and_shown(visit: Visit, service: httpx.Client) -> None:
    visit.open()
    visit.page.click("#ours-this")
    visit.wait_for_text("#ours-said", "Yes.")
    before = drawn(service, model=MODEL, style=[0, 0], seed=18, **{"class": "0"})
    visit.wait_for_pixels("#again", before)
    visit.page.locator("#ours").focus()
    for key in ("ArrowRight", "ArrowUp", " "):
        visit.page.keyboard.press(key)
    visit.wait_for_text("#ours-said", "No. Pixels that differ from those that the record draws: 1.")
    shown = before.copy()
    shown[13, 15] = MARK
    visit.wait_for_pixels("#again", shown)
    visit.page.keyboard.press(" ")
    visit.wait_for_text("#ours-said", "Yes.")


def test_a_file_that_is_no_picture_is_refused_in_words(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "page.png"
    file.write_text("no picture", encoding="utf-8")
    visit.open()
    visit.page.set_input_files("#ours-file", file)
    visit.wait_for_text("#notice", "not a picture")
    visit.page.set_input_files("#hand-file", file)
    visit.wait_for_text("#notice", "not a picture")
    visit.page.get_by_role("button", name="Close").click()
    assert visit.page.is_hidden("#notice")
    drop(visit, "notes.txt", "text/plain", b"no picture")
    visit.wait_for_text("#notice", "not a picture")


def test_what_was_said_of_one_picture_never_stands_beside_another(
    visit: Visit, service: httpx.Client, tmp_path: Path
) -> None:
    visit.open()
    ways = {"from": {"class": "3", "seed": 1}, "to": {"class": "8", "seed": 2}, "frames": 4}
    animation = tmp_path / "way.png"
    animation.write_bytes(service.post("/v1/interpolations", json=ways | {"format": "apng"}).content)
    broken = tmp_path / "broken.png"
    broken.write_bytes(animation.read_bytes()[:40])
    for file, said in ((animation, "No. Animations cannot be verified"), (broken, "No picture yet.")):
        visit.page.click("#ours-this")
        visit.wait_for_text("#ours-said", "Yes.")
        visit.page.set_input_files("#ours-file", file)
        visit.wait_for_text("#ours-said", said)
        assert visit.page.is_hidden("#ours-pair")
