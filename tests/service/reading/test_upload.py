import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from service.errors import BrokenImage, NotAnImage, TooManyPixels
from service.reading.upload import FORMATS, decode, open_picture

PAGE = np.zeros((40, 30), np.uint8)
PAGE[:10, :10] = 255


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(content: bytes) -> np.ndarray:
    return np.asarray(decode(open_picture(content, max_pixels=10_000)).convert("L"))


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_of_file_is_read(kind: str) -> None:
    assert np.abs(read(saved(Image.fromarray(PAGE), kind)).astype(int) - PAGE).mean() < 4


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "PCX"])
def test_no_other_kind_of_file_is_read(kind: str) -> None:
    with pytest.raises(NotAnImage):
        open_picture(saved(Image.fromarray(PAGE), kind), max_pixels=10_000)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_breaks_off_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)
    content = saved(Image.fromarray(noise), kind)
    for length in range(0, len(content) - 16, 97):
        with pytest.raises((NotAnImage, BrokenImage)):
            read(content[:length])


def test_a_file_of_random_bytes_is_refused_whatever_it_begins_with() -> None:
    rng = np.random.default_rng(0)
    starts = [saved(Image.fromarray(PAGE), kind)[:40] for kind in FORMATS]
    for number in range(200):
        content = starts[number % len(starts)] + rng.bytes(200)
        with pytest.raises((NotAnImage, BrokenImage, TooManyPixels)):
            read(content)


@pytest.mark.parametrize("kind", FORMATS)
def test_pixels_are_counted_before_they_are_read(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content = saved(Image.new("L", (101, 100)), kind)

    def read_already(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", read_already)
    with pytest.raises(TooManyPixels, match="at most 10000 pixels"):
        open_picture(content, max_pixels=10_000)
    assert open_picture(content, max_pixels=10_100).size == (101, 100)


def test_sixteen_bits_a_pixel_keep_their_greys() -> None:
    deep = PAGE.astype(np.uint16) * 257 // 2
    assert np.array_equal(read(saved(Image.fromarray(deep))), PAGE // 2)


@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_the_bits_that_a_picture_fills_count_not_those_of_its_file(depth: int) -> None:
    held = (PAGE.astype(np.uint32) * ((1 << depth) - 1) // 255).astype(np.uint16)
    assert np.array_equal(read(saved(Image.fromarray(held))), PAGE)


def test_a_photograph_is_turned_the_right_way_up() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned = read(saved(Image.fromarray(PAGE), "JPEG", exif=exif, quality=95))
    assert np.abs(turned.astype(int) - np.rot90(PAGE, -1)).mean() < 2


def test_an_animation_is_read_by_its_first_frame() -> None:
    frames = [Image.fromarray(PAGE), Image.fromarray(255 - PAGE)]
    for kind in ("GIF", "WEBP", "PNG"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        assert np.abs(read(content).astype(int) - PAGE).mean() < 4


def test_text_that_unpacks_to_more_than_its_file_is_refused() -> None:
    told = PngInfo()
    told.add_text("faussaire", " " * 20_000_000, zip=True)
    content = saved(Image.fromarray(PAGE), pnginfo=told)
    assert len(content) < 50_000
    with pytest.raises(NotAnImage):
        open_picture(content, max_pixels=10_000)
