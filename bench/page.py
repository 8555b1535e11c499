"""The playground in a real Chromium: its weight, its two speeds, and its pictures. `python -m bench.page`, beside
`make serve`; it needs chromium.

It prints the bytes that a first visit loads, the time until the first images are seen, and how many times a second all
classes are drawn while the pointer moves over them. With `--pictures`, it writes the pictures of docs/playground.md.
"""

import argparse
import io
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, ViewportSize, sync_playwright

URL = "http://127.0.0.1:3000/"
VISITS = 5
SECONDS = 4
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
DESK = 1000
WIDTHS, HEIGHT = (1440, 768, 360), 900
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
GAP, COLOURS = 24, 48

PAINTED = """() => {
    window.painted = [];
    document.addEventListener("painted", () => window.painted.push(performance.now()));
}"""

LOADED = """() => performance.getEntriesByType("resource").concat(performance.getEntriesByType("navigation"))
    .filter(({ name }) => !name.includes("/v1/"))
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)"""

MOVE = """([seconds]) => new Promise((done) => {
    const frame = document.getElementById("stage-frame");
    const box = frame.getBoundingClientRect();
    const [before, start] = [window.painted.length, performance.now()];
    const step = (now) => {
        const turn = (now - start) / 500;
        const [x, y] = [0.5 + 0.45 * Math.cos(turn), 0.5 + 0.45 * Math.sin(1.3 * turn)];
        const at = { clientX: box.left + x * box.width, clientY: box.top + y * box.height, pointerType: "mouse" };
        frame.dispatchEvent(new PointerEvent("pointermove", { bubbles: true, ...at }));
        if (now - start < 1000 * seconds) requestAnimationFrame(step);
        else done((window.painted.length - before) / seconds);
    };
    requestAnimationFrame(step);
})"""


SAMPLED = """() => {
    const samples = [...document.querySelectorAll(".model canvas")];
    return samples.length > 0 && samples.every(({ width }) => width > 1);
}"""
"""Each model shows its sheet of samples."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default=URL)
    parser.add_argument("--pictures", action="store_true")
    asked = parser.parse_args()
    with chromium() as browser:
        if asked.pictures:
            for scheme in SCHEMES:
                take_picture(browser, asked.url, scheme)
        else:
            measure(browser, asked.url)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def measure(browser: Browser, url: str) -> None:
    first, rates = [], []
    for _ in range(VISITS):
        page = browser.new_page(viewport={"width": 1440, "height": 900})  # with a cache of its own
        page.add_init_script(f"({PAINTED})()")
        page.goto(url)
        page.wait_for_function("() => window.painted.length")
        first.append(page.evaluate("window.painted[0]"))
        page.wait_for_load_state("networkidle")
        weight = page.evaluate(LOADED)
        rates.append(page.evaluate(MOVE, [SECONDS]))
        page.close()
    print(f"page: {weight:,} bytes as sent")
    print(
        f"first images: {statistics.median(first):.0f} ms after the address is entered, median of {VISITS} cold loads"
    )
    print(f"while the pointer moves: {statistics.median(rates):.0f} times a second all classes and the one image")


def take_picture(browser: Browser, url: str, scheme: Scheme) -> None:
    """A desk, a tablet and a phone, side by side."""
    shots = [shoot(browser, url, width, scheme) for width in WIDTHS]
    width = sum(shot.width for shot in shots) + GAP * (len(shots) - 1)
    picture = Image.new("RGB", (width, max(shot.height for shot in shots)), "white")
    left = 0
    for shot in shots:
        picture.paste(shot, (left, 0))
        left += shot.width + GAP
    path = PICTURES / f"playground-{scheme}.png"
    picture.quantize(COLOURS).save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")


def shoot(browser: Browser, url: str, width: int, scheme: Scheme) -> Image.Image:
    """The first screen; at a desk, the pointer is on it."""
    touch = width < DESK
    viewport: ViewportSize = {"width": width, "height": HEIGHT}
    page = browser.new_page(viewport=viewport, color_scheme=scheme, has_touch=touch, is_mobile=touch)
    page.goto(url)
    page.wait_for_selector("#stage-tiles .tile")
    page.wait_for_function(SAMPLED)
    if not touch:
        page.mouse.move(0.7 * width, 0.35 * HEIGHT)
        page.wait_for_load_state("networkidle")
    shot = page.screenshot()
    page.close()
    with Image.open(io.BytesIO(shot)) as picture:
        return picture.convert("RGB")


if __name__ == "__main__":
    main()
