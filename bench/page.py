"""The playground in a real Chromium: its weight, its two speeds, and its picture. `python -m bench.page`, beside
`make serve`; it needs chromium.

It prints the bytes that a first visit loads, the time until the first images are seen, and how many times a second all
classes are drawn while the pointer moves over them. With `--pictures`, it writes the pictures of docs/playground.md.
"""

import argparse
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

URL = "http://127.0.0.1:3000/"
VISITS = 5
SECONDS = 4
PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
MOST_BYTES = 200_000

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


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default=URL)
    parser.add_argument("--pictures", action="store_true")
    asked = parser.parse_args()
    with chromium() as browser:
        if asked.pictures:
            take_pictures(browser, asked.url)
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


def take_pictures(browser: Browser, url: str) -> None:
    sizes = {"desk": (1440, 900), "phone": (360, 740)}
    for name, (width, height) in sizes.items():
        for scheme in ("light", "dark"):
            page = browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                has_touch=name == "phone",
            )
            page.goto(url)
            page.wait_for_selector("#stage-tiles .tile")
            page.wait_for_load_state("networkidle")
            if name == "desk":
                hold_the_pointer(page)
            shoot(page, PICTURES / f"playground-{name}-{scheme}.png")
            page.close()


def hold_the_pointer(page: Page) -> None:
    box = page.locator("#stage-frame").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    page.wait_for_load_state("networkidle")


def shoot(page: Page, path: Path) -> None:
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(64)
    small.save(path, optimize=True)
    print(f"{path.name}: {path.stat().st_size:,} bytes")
    assert path.stat().st_size < MOST_BYTES


if __name__ == "__main__":
    main()
