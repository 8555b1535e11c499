"""Digits on disturbed pages are read right, or refused. `python -m bench.pages` counts more of them."""

from contextlib import suppress

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.pages import DISTURBANCES, MODEL, NEVER_RIGHT, OFTEN_REFUSED, Reader, draw, load_digits, place
from service.errors import BlankImage, UnclearImage
from tests.training.conftest import real_data_dir
from training.datasets.images import load_images

DIGITS = 20
PAGES = 2 * DIGITS

Digits = tuple[NDArray[np.uint8], list[str]]


@pytest.fixture(scope="module")
def digits() -> Digits:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    images, labels = load_digits(folder)
    return images[:DIGITS], labels[:DIGITS]


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


@pytest.mark.parametrize("name", DISTURBANCES)
def test_a_digit_on_a_disturbed_page_is_read_right_or_refused(name: str, digits: Digits, reader: Reader) -> None:
    counts = reader.count(name, *digits)
    assert counts["wrong"] <= 0.05 * PAGES
    least = 0.0 if name in NEVER_RIGHT else 0.5 if name in OFTEN_REFUSED else 0.9
    assert counts["right"] >= least * PAGES


def test_what_was_left_out_is_told(digits: Digits, reader: Reader) -> None:
    random = np.random.default_rng(0)
    told = {"plain": None, "box about the digit": "frame", "squares": "rules", "specks": "specks", "vignette": "light"}
    for name, removed in told.items():
        page = DISTURBANCES[name](place(digits[0][0], 160, random), random)
        read = reader.read(page)
        assert read.removed is None if removed is None else removed in (read.removed or []), name
        assert read.certainty is not None
        assert read.certainty > 0.8


def test_what_is_in_the_way_is_named_with_the_remedy(digits: Digits, reader: Reader) -> None:
    ink = place(digits[0][0], 80, np.random.default_rng(0))
    shadowed = draw(ink)
    shadowed[:, 140:] *= 0.6
    with pytest.raises(UnclearImage, match=r"shadow.*Crop the picture to one drawing"):
        reader.read(shadowed)
    with pytest.raises(UnclearImage, match=r"several drawings.*Crop the picture"):
        reader.read(DISTURBANCES["two digits"](ink, np.random.default_rng(0)))
    with pytest.raises(BlankImage, match="lines"):
        reader.read(DISTURBANCES["rules"](np.zeros_like(ink), np.random.default_rng(0)))


def test_clothes_are_read_on_a_page_as_they_are_in_their_frame() -> None:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    images = load_images("fashion-mnist", folder, train=False).images[:60, 0].numpy()
    reader, same = Reader(MODEL.with_name("fashion-infogan.onnx")), 0
    for image in images:
        framed = reader.read(image)
        assert framed.removed is None
        page = np.kron(image, np.ones((8, 8), np.uint8))
        with suppress(UnclearImage):  # a few have specks, and are refused
            same += reader.read(page).class_ == framed.class_
    assert same >= 0.9 * len(images)
