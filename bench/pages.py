"""What the service reads from digits on disturbed pages: `python -m bench.pages [DIGITS]`.

Real test digits are drawn onto pages of 280 pixels in two sizes, and each page is disturbed in one way. The table has
the shares of right readings, of refusals, and of wrong readings. It needs the real data (FAUSSAIRE_DATA_DIR).
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from latent.card import recogniser_path
from service.errors import RequestError
from service.inference.generator import Generator
from service.inference.recogniser import Recogniser
from service.reading.reader import ImageCodes, recognise

MODEL = Path(__file__).parents[1] / "models/mnist-infogan.onnx"
DIGITS = 500
SIDE = 280
SIZES = (80, 160)
MARGIN = 24
INK = 25

Random = np.random.Generator
Page = NDArray[np.float64]
"""(SIDE, SIDE), or with three colours, from 0, black, to 255, white"""
Ink = NDArray[np.float64]
"""(SIDE, SIDE), from 0 to 1"""

DOWN, ACROSS = np.mgrid[:SIDE, :SIDE]


def draw(ink: Ink, paper: float | Page = 255.0, level: float = INK) -> Page:
    page: Page = paper * (1 - ink) + level * ink
    return page


def frame(ink: Ink, random: Random) -> Page:
    page, inset, thick = draw(ink), int(random.integers(1, 16)), int(random.integers(1, 5))
    inside = np.zeros((SIDE, SIDE), np.bool_)
    for left, shade in ((inset, True), (inset + thick, False)):
        inside[left : SIDE - left, left : SIDE - left] = shade
    page[inside] = random.integers(0, 120)
    return page


def edge(ink: Ink, random: Random) -> Page:
    page, thick = draw(ink), int(random.integers(1, 5))
    page[:thick] = page[-thick:] = page[:, :thick] = page[:, -thick:] = 0
    return page


def box(ink: Ink, random: Random) -> Page:
    """A field drawn about the digit."""
    page, (rows, columns), gap = draw(ink), np.nonzero(ink > 0.2), int(random.integers(6, 18))
    top, bottom, left, right = rows.min() - gap, rows.max() + gap, columns.min() - gap, columns.max() + gap
    page[top : bottom + 1, [left, right]] = page[[top, bottom], left : right + 1] = 30
    return page


def rules(ink: Ink, random: Random) -> Page:
    gap, thick = int(random.integers(18, 44)), int(random.integers(1, 4))
    lines = (DOWN + int(random.integers(gap))) % gap < thick
    return np.minimum(draw(ink), np.where(lines, float(random.integers(10, 190)), 255))


def squares(ink: Ink, random: Random) -> Page:
    gap, thick = int(random.integers(14, 36)), int(random.integers(1, 3))
    lines = ((DOWN + int(random.integers(gap))) % gap < thick) | ((ACROSS + int(random.integers(gap))) % gap < thick)
    return np.minimum(draw(ink), np.where(lines, float(random.integers(60, 200)), 255))


def specks(ink: Ink, random: Random) -> Page:
    page = draw(ink)
    page[0, 0] = 0
    for _ in range(int(random.integers(12))):
        top, left, size = (int(random.integers(limit)) for limit in (SIDE - 5, SIDE - 5, 5))
        page[top : top + size + 1, left : left + size + 1] = random.integers(0, 100)
    return page


def shine(random: Random) -> Page:
    """Light from one side: from 120 to 255."""
    turn = random.uniform(0, 2 * np.pi)
    place = ACROSS * np.cos(turn) + DOWN * np.sin(turn)
    light: Page = 120 + 135 * (place - place.min()) / np.ptp(place)
    return light


def uneven_light(ink: Ink, random: Random) -> Page:
    return draw(ink) * shine(random) / 255


def vignette(ink: Ink, random: Random) -> Page:
    distance: Page = ((DOWN - SIDE / 2) ** 2 + (ACROSS - SIDE / 2) ** 2) / (SIDE**2 / 2)
    shade = 1 - random.uniform(0.05, 0.6) * distance
    return draw(ink) * np.asarray(shade)


def noise(ink: Ink, random: Random) -> Page:
    return draw(ink, 225, 40) + random.normal(0, random.uniform(5, 25), ink.shape)


def salt_and_pepper(ink: Ink, random: Random) -> Page:
    page, chance = draw(ink), random.random(ink.shape)
    page[chance < 0.01], page[chance > 0.99] = 0, 255
    return page


def turn(page: Page, random: Random, most: float) -> Page:
    picture = Image.fromarray(page.clip(0, 255).astype(np.uint8))
    turned = picture.rotate(random.uniform(-most, most), Image.Resampling.BICUBIC, fillcolor=255)
    return np.asarray(turned, np.float64)


def turned_page(ink: Ink, random: Random) -> Page:
    return turn(draw(ink), random, 8)


def turned_rules(ink: Ink, random: Random) -> Page:
    return turn(rules(ink, random), random, 4)


def turned_squares(ink: Ink, random: Random) -> Page:
    return turn(squares(ink, random), random, 4)


def coloured_ink(ink: Ink, random: Random) -> Page:
    colour = random.choice([(20, 40, 200), (200, 20, 20), (20, 130, 40), (255, 200, 0), (120, 120, 255)])
    return draw(ink[:, :, None], 255, colour)


def faint_ink(ink: Ink, random: Random) -> Page:
    return draw(ink, 255, random.uniform(175, 215))


def dark_ground(ink: Ink, random: Random) -> Page:
    return draw(ink, float(random.integers(60)), random.uniform(170, 255))


def photograph(ink: Ink, random: Random) -> Page:
    """Squared paper, turned a little, in uneven light, with noise."""
    return turned_squares(ink, random) * shine(random) / 255 + random.normal(0, 5, ink.shape)


def note(ink: Ink, random: Random, table: Page | None = None) -> Page:
    """Paper of some tenths of the picture, turned, on a table."""
    (rows, columns), room = np.nonzero(ink > 0.2), int(random.integers(20, 40))
    top, left = max(0, rows.min() - room), max(0, columns.min() - room)
    written = ink[top : rows.max() + room, left : columns.max() + room]
    paper = draw(written, float(random.integers(200, 256)), float(random.integers(10, 80)))
    picture = Image.fromarray(np.dstack([paper, np.full_like(paper, 255)]).astype(np.uint8), "LA")
    picture = picture.resize([round(side * 130 / min(picture.size)) for side in picture.size])
    picture = picture.rotate(random.uniform(-20, 20), Image.Resampling.BICUBIC, expand=True)
    picture.thumbnail((SIDE - 8, SIDE - 8))
    shade = np.full(ink.shape, float(random.integers(20, 170))) if table is None else table
    page = Image.fromarray(shade.astype(np.uint8))
    place = [int(random.integers(4, SIDE - side - 3)) for side in picture.size]
    page.paste(picture.getchannel("L"), (place[0], place[1]), picture.getchannel("A"))
    return np.asarray(page, np.float64) + random.normal(0, 3, ink.shape)


def note_beside(ink: Ink, random: Random) -> Page:
    """A note beside something of a third shade."""
    table, edge = np.full(ink.shape, float(random.integers(90, 170))), int(random.integers(20, 60))
    table[:, :edge] = random.integers(0, 60)
    return note(ink, random, table)


def two_digits(ink: Ink, random: Random) -> Page:
    """No reading is right."""
    rows, columns = np.nonzero(ink)
    digit = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    both = np.hstack([digit, np.zeros((len(digit), int(random.integers(12, 40)))), digit])
    picture = Image.fromarray((255 * both).astype(np.uint8))
    picture.thumbnail((SIDE - 2 * MARGIN, SIDE))
    page = Image.new("L", (SIDE, SIDE))
    page.paste(picture, (MARGIN, MARGIN))
    return draw(np.asarray(page) / 255)


def nothing(ink: Ink, random: Random) -> Page:
    """Squared paper without a digit: no reading is right."""
    return photograph(np.zeros_like(ink), random)


Disturb = Callable[[Ink, Random], Page]

DISTURBANCES: dict[str, Disturb] = {
    "plain": lambda ink, _: draw(ink),
    "frame": frame,
    "frame at the edge": edge,
    "box about the digit": box,
    "rules": rules,
    "squares": squares,
    "rules, turned": turned_rules,
    "squares, turned": turned_squares,
    "specks": specks,
    "uneven light": uneven_light,
    "vignette": vignette,
    "noise": noise,
    "salt and pepper": salt_and_pepper,
    "turned page": turned_page,
    "coloured ink": coloured_ink,
    "faint ink": faint_ink,
    "dark ground": dark_ground,
    "photograph": photograph,
    "note on a table": note,
    "note beside something": note_beside,
    "two digits": two_digits,
    "nothing": nothing,
}
NEVER_RIGHT = ("two digits", "nothing")
OFTEN_REFUSED = ("note beside something",)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else DIGITS
    images, labels = load_digits(Path(os.environ.get("FAUSSAIRE_DATA_DIR", "data")))
    reader = Reader()
    print(f"{count} digits in each of {len(SIZES)} sizes\n")
    print("| disturbance | right | refused | wrong |\n| --- | --- | --- | --- |")
    for name in DISTURBANCES:
        counts = reader.count(name, images[:count], labels[:count])
        shares = [f"{counts[answer] / counts.total():.1%}" for answer in ("right", "refused", "wrong")]
        print(f"| {name} | {' | '.join(shares)} |", flush=True)


def load_digits(folder: Path) -> tuple[NDArray[np.uint8], list[str]]:
    """The test images of MNIST (N, 28, 28) and their digits."""
    raw = folder / "MNIST/raw"
    images = np.frombuffer((raw / "t10k-images-idx3-ubyte").read_bytes(), np.uint8, offset=16)
    labels = np.frombuffer((raw / "t10k-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    return images.reshape(-1, 28, 28), [str(label) for label in labels]


class Reader:
    """Reads pages as `POST /v1/codes` does."""

    def __init__(self, model: Path = MODEL) -> None:
        generator = Generator(model, threads=1)
        self._version = generator.version
        self._recogniser = Recogniser(recogniser_path(model), generator, threads=1)

    def read(self, page: NDArray[Any]) -> ImageCodes:
        """Raises RequestError."""
        picture = Image.fromarray(np.rint(page).clip(0, 255).astype(np.uint8))
        return recognise(picture, self._recogniser, self._version)

    def count(self, name: str, images: NDArray[np.uint8], labels: list[str]) -> Counter[str]:
        """How many pages are read right, refused, and read wrong."""
        counts = Counter[str]()
        for number, (image, label) in enumerate(zip(images, labels, strict=True)):
            for size in SIZES:
                random = np.random.default_rng([number, size])
                try:
                    read = self.read(DISTURBANCES[name](place(image, size, random), random)).class_
                except RequestError:
                    counts["refused"] += 1
                else:
                    counts["right" if read == label and name not in NEVER_RIGHT else "wrong"] += 1
        return counts


def place(image: NDArray[np.uint8], size: int, random: Random) -> Ink:
    """The digit, its longer side of this size, somewhere on a page."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    digit = Image.fromarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])
    scale = size / max(digit.size)
    digit = digit.resize((max(1, round(digit.width * scale)), max(1, round(digit.height * scale))))
    page = Image.new("L", (SIDE, SIDE))
    left, top = (int(random.integers(MARGIN, SIDE - MARGIN - side + 1)) for side in digit.size)
    page.paste(digit, (left, top))
    return np.asarray(page) / 255


if __name__ == "__main__":
    main()
