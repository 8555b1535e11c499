import io
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from service.errors import BrokenImage, NotAnImage, TooManyPixels
from service.reading.upload import FORMATS, decode, open_upload

PAGE = np.zeros((40, 30), np.uint8)
PAGE[:10, :10] = 255


def saved(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def read(content: bytes) -> np.ndarray:
    return np.asarray(decode(open_upload(content, max_pixels=10_000)).convert("L"))


@pytest.mark.parametrize("kind", FORMATS)
def test_each_kind_of_file_is_read(kind: str) -> None:
    assert np.abs(read(saved(Image.fromarray(PAGE), kind)).astype(int) - PAGE).mean() < 4


@pytest.mark.parametrize("kind", ["TIFF", "ICO", "PPM", "TGA", "PCX"])
def test_no_other_kind_of_file_is_read(kind: str) -> None:
    with pytest.raises(NotAnImage):
        open_upload(saved(Image.fromarray(PAGE), kind), max_pixels=10_000)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_that_breaks_off_is_refused(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 90), np.uint8)
    content = saved(Image.fromarray(noise), kind)
    for length in range(0, len(content) - 16, 97):
        with pytest.raises(BrokenImage if length else NotAnImage):
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
        open_upload(content, max_pixels=10_000)
    monkeypatch.undo()
    assert open_upload(content, max_pixels=10_100).picture.size == (101, 100)


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


def test_text_that_unpacks_to_more_than_is_read_is_no_record() -> None:
    told = PngInfo()
    told.add_text("faussaire", " " * 20_000_000, zip=True)
    content = saved(Image.fromarray(PAGE), pnginfo=told)
    assert len(content) < 50_000
    upload = open_upload(content, max_pixels=10_000)
    assert upload.origin is None
    assert np.array_equal(np.asarray(decode(upload)), PAGE)


def chunk(kind: bytes, data: bytes, *, intact: bool = True) -> bytes:
    checksum = zlib.crc32(kind + data) ^ (not intact)
    return len(data).to_bytes(4) + kind + data + checksum.to_bytes(4)


def with_chunk(*chunks: bytes) -> bytes:
    """The page with further chunks before its pixels."""
    content = saved(Image.fromarray(PAGE))
    return content[:33] + b"".join(chunks) + content[33:]


BESIDE: dict[str, bytes] = {
    "a profile of two megabytes": with_chunk(chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(2 << 20)))),
    "a profile that does not unpack": with_chunk(chunk(b"iCCP", b"p\0\0????")),
    "a profile without an end": with_chunk(chunk(b"iCCP", b"p")),
    "a time with a wrong checksum": with_chunk(chunk(b"tIME", bytes(7), intact=False)),
    "a time too short": with_chunk(chunk(b"tIME", b"1")),
    "a gamma of nothing": with_chunk(chunk(b"gAMA", b"")),
    "a size of nothing": with_chunk(chunk(b"pHYs", b"")),
    "chromaticities too short": with_chunk(chunk(b"cHRM", b"12")),
    "a text without an end": with_chunk(chunk(b"zTXt", b"x"), chunk(b"iTXt", b"y\0\1")),
    "much text": with_chunk(*[chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(1 << 20)))] * 70),
    "a broken Exif": with_chunk(chunk(b"eXIf", b"MM\0*\0\0\0\xff")),
    "no Exif": with_chunk(chunk(b"eXIf", b"?")),
    "an Exif with a wrong checksum": with_chunk(chunk(b"eXIf", b"MM\0*", intact=False)),
    "an unknown kind": with_chunk(chunk(b"abCd", b"?" * 99, intact=False)),
    "bytes behind the end": saved(Image.fromarray(PAGE)) + b"?" * 1000,
}


@pytest.mark.parametrize("content", BESIDE.values(), ids=BESIDE.keys())
def test_what_says_nothing_of_the_pixels_is_left_out(content: bytes) -> None:
    assert np.array_equal(read(content), PAGE)


def segment(marker: int, data: bytes) -> bytes:
    return bytes([0xFF, marker]) + (2 + len(data)).to_bytes(2) + data


SEGMENTS: dict[str, bytes] = {
    "a profile without an end": segment(0xE2, b"ICC_PROFILE\0"),
    "a profile of wrong parts": segment(0xE2, b"ICC_PROFILE\0\1\2?"),
    "a large profile": b"".join(
        segment(0xE2, b"ICC_PROFILE\0" + bytes([part, 40]) + bytes(60_000)) for part in range(1, 41)
    ),
    "a broken Exif": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\xff"),
    "an Exif of garbage": segment(0xE1, b"Exif\0\0?????????"),
    "an Exif cut off": segment(0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\2\1\x12"),
    "an index of several pictures": segment(0xE2, b"MPF\0MM\0*\0\0\0\xff"),
    "broken resources": segment(0xED, b"Photoshop 3.0\x008BIM\4\4\0\0\xff"),
    "a comment": segment(0xFE, b"\xff\xff"),
    "bytes that fill": b"\xff\xff" + segment(0xFE, b"?") + b"\xff",
}


@pytest.mark.parametrize("segments", SEGMENTS.values(), ids=SEGMENTS.keys())
def test_a_jpeg_is_read_whatever_it_says_of_itself(segments: bytes) -> None:
    content = saved(Image.fromarray(PAGE), "JPEG", quality=95)
    assert np.array_equal(read(content[:20] + segments + content[20:]), read(content))


def deep(levels: NDArray[Any]) -> bytes:
    """A PNG of 16 bits a channel (h, w, channels), which Pillow does not write."""
    height, width, channels = levels.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in levels)
    head = chunk(b"IHDR", width.to_bytes(4) + height.to_bytes(4) + bytes([16, kind, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("depth", [8, 10, 12, 14, 16])
def test_colours_and_alpha_too_are_read_by_the_bits_that_they_fill(depth: int, channels: int) -> None:
    white = (1 << depth) - 1
    grey = np.rint(PAGE * (white / 255)).astype(np.uint16)
    opaque = np.full_like(grey, white)
    levels = [grey] * (channels - 1 + channels % 2) + [opaque] * (1 - channels % 2)
    assert np.abs(read(deep(np.stack(levels, axis=2))).astype(int) - PAGE).max() <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(PAGE)
    expected = ImageOps.exif_transpose(Image.open(io.BytesIO(saved(picture, exif=exif))))
    assert np.array_equal(read(saved(picture, exif=exif)), np.asarray(expected))


def test_colours_of_print_palettes_and_interlaced_pixels_are_read() -> None:
    picture = Image.fromarray(PAGE)
    printed = read(saved(picture.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(printed.astype(int) - PAGE).mean() < 4
    palette = picture.convert("P")
    assert np.array_equal(read(saved(palette, transparency=0)), PAGE)
