"""The page in a real Chromium: the shipped models by the real server, and small models by the application alone."""

import base64
import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FloatRect, Locator, Page, Request, sync_playwright

from latent import GeneratorCard, ImageShape, LatentSpace, draw_codes
from latent.space import NoiseDistribution
from service.app import create_app
from service.settings import Settings
from tests.conftest import listening, program, small_card, with_card, write_recogniser, write_small
from tests.end_to_end.conftest import ROOT, serving
from tests.training.export.test_rounding import random_generator, space_of
from training.export import rounding
from training.export.generator import Exported
from training.export.graph import make_graph
from training.export.rounding import round_generator

AXE = Path(__file__).parent / "axe"
DESKTOP = {"width": 1440, "height": 900}
MODEL = "mnist-infogan"

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The shipped models."""
    with serving(ROOT / "models", tmp_path_factory.mktemp("home")) as client:
        yield client


@pytest.fixture(scope="session")
def url(service: httpx.Client) -> str:
    return f"{service.base_url}/"


class Visit:
    """A page of the service, open in a browser; nothing may leave its origin, and no script may fail."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.context = context
        context.set_default_timeout(10_000)
        self.page = context.new_page()
        self.requests: list[Request] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        # The browser itself tells of each answer that is an error; the page shows those.
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.errors.append(message.text)

    def open(self, address: str = "") -> "Visit":
        self.page.goto(self.url + address)
        self.page.wait_for_selector("#stage-tiles .tile")
        return self

    def check(self) -> None:
        assert self.errors == []
        own = (self.url.rpartition("/")[0], "blob:", "data:")
        assert [request.url for request in self.requests if not request.url.startswith(own)] == []

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def wait_for_text(self, selector: str, text: str) -> None:
        self.page.locator(selector, has_text=text).first.wait_for()

    def pixels(self, selector: str) -> Pixels:
        """The pixels of a canvas, (H, W, 3)."""
        drawn = self.page.evaluate(READ, selector)
        return pixels_of(base64.b64decode(drawn.partition(",")[2]))

    def wait_for_pixels(self, selector: str, expected: Pixels) -> None:
        """Wait until a canvas has these very pixels."""
        rgba = np.dstack([expected, np.full(expected.shape[:2], 255, np.uint8)])
        self.page.wait_for_function(HAS, arg=[selector, expected.shape[1], base64.b64encode(rgba.tobytes()).decode()])

    def box(self, selector: str) -> FloatRect:
        locator = self.page.locator(selector)
        locator.scroll_into_view_if_needed()
        box = locator.bounding_box()
        assert box is not None
        return box

    def point_at(self, selector: str, across: float, down: float) -> None:
        """Move the mouse to these shares of an element's width and height."""
        box = self.box(selector)
        self.page.mouse.move(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def slide(self, name: str, value: float) -> None:
        dial(self.page, name).fill(str(value))


READ = "selector => document.querySelector(selector).toDataURL()"

HAS = """([selector, width, expected]) => {
    const canvas = document.querySelector(selector);
    if (canvas.width !== width) return false;
    const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
    copy.drawImage(canvas, 0, 0);
    const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
    const wanted = atob(expected);
    return wanted.length === data.length && data.every((value, place) => value === wanted.charCodeAt(place));
}"""


def dial(page: Page, name: str) -> Locator:
    return page.get_by_role("slider", name=name, exact=True)


def pixels_of(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture.convert("RGB"))


def style_of(client: httpx.Client, name: str) -> dict[str, Any]:
    """What the card of MODEL says of a style code."""
    styles = client.get(f"/v1/models/{MODEL}").json()["card"]["space"]["styles"]
    found: dict[str, Any] = next(style for style in styles if style["name"] == name)
    return found


def value_at(client: httpx.Client, name: str, share: float) -> float:
    """The value at a share of a style code's range, as the page rounds it."""
    style = style_of(client, name)
    low, high = float(style["low"]), float(style["high"])
    return round(low + share * (high - low), 3)


def drawn(client: httpx.Client, **body: Any) -> Pixels:
    answer = client.post("/v1/images", json=body)
    assert answer.status_code == 200, answer.text
    return pixels_of(answer.content)


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Any]:
    """Make contexts of the browser; they end with the test."""
    opened: list[BrowserContext] = []

    def make(**options: Any) -> BrowserContext:
        opened.append(browser.new_context(**{"viewport": DESKTOP} | options))
        return opened[-1]

    yield make
    for context in opened:
        context.close()


@pytest.fixture
def visit(new_context: Any, url: str) -> Iterator[Visit]:
    """The page with the shipped models, at a desk."""
    visit = Visit(new_context(), url)
    yield visit
    visit.check()


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, as package-lock.json names it."""
    subprocess.run([program("npm"), "ci", "--silent"], cwd=AXE, check=True)
    return (AXE / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


COLOUR = ImageShape(height=16, width=24, channels=3)


def write_coloured(folder: Path, name: str, space: LatentSpace) -> None:
    """A generator of random weights that draws small images in colour."""
    exported = Exported(round_generator(random_generator("compact", space, COLOUR, 0), space), space).eval()
    inputs = {key: torch.from_numpy(codes) for key, codes in draw_codes(space, 0, 0, 2).inputs().items()}
    card: GeneratorCard = small_card(name).model_copy(update={"image": COLOUR, "space": space})
    onnx.save(with_card(make_graph(exported, inputs, ["image"], {}), card), folder / f"{name}.onnx")


@pytest.fixture(scope="session")
def odd_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Models unlike those that ship: in colour, wider than high, without classes, without styles, without both."""
    folder = tmp_path_factory.mktemp("odd")
    normal = NoiseDistribution.NORMAL
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rounding, "CALIBRATED", 256)
        patch.setattr(rounding, "COMPARED", 64)
        write_coloured(folder, "coloured", space_of(20, 23, 3, normal))
        write_coloured(folder, "styles-only", space_of(9, 0, 1, normal))
        write_coloured(folder, "classes-only", space_of(9, 2, 0, normal))
    write_small(folder, "plain", coded=False)
    write_recogniser(write_small(folder), small_card())
    with listening(create_app(Settings(models_dir=folder, default_model="coloured"))) as url:
        yield f"{url}/"
