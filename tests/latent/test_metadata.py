import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from latent.metadata import read_orientation, read_record, strip_metadata
from latent.origin import KEYWORD, ImageOrigin
from latent.png import SIGNATURE, encode_png

ORIGIN = ImageOrigin.model_validate(
    {"model": "small", "digest": "5a" * 32, "seed": 1, "index": 0, "class": {"7": 1.0}, "styles": {"slant": 0.5}}
)
PNG = encode_png(np.arange(100, dtype=np.uint8).reshape(10, 10, 1), KEYWORD, ORIGIN.text())


def saved(kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(PNG)).save(buffer, kind, **options)
    return buffer.getvalue()


def pixels(content: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(content)))


def test_the_record_is_read_and_not_kept_with_the_pixels() -> None:
    assert read_record(PNG) == ORIGIN
    stripped = strip_metadata(PNG)
    assert read_record(stripped) is None
    assert np.array_equal(pixels(stripped), pixels(PNG))


def test_a_record_with_a_wrong_checksum_is_none() -> None:
    assert read_record(PNG.replace(b'"seed":1', b'"seed":2')) is None


def test_a_jpeg_keeps_its_pixels_and_its_colours() -> None:
    content = saved("JPEG", comment=b"much", icc_profile=bytes(100_000), quality=95)
    stripped = strip_metadata(content)
    assert len(stripped) < len(content) - 100_000
    assert np.array_equal(pixels(stripped), pixels(content))


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_that_of_exif(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0110], exif[0x0112] = "a camera", orientation
    content = saved(kind, exif=exif)
    assert read_orientation(content) == orientation
    assert read_orientation(exif.tobytes()) == orientation


@settings(deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([b"", SIGNATURE, b"\xff\xd8\xff", b"MM\0*", b"II*\0\0\0\0\x08", PNG[:70]])
)
def test_whatever_follows_a_beginning_is_read_without_an_error(rest: bytes, start: bytes) -> None:
    content = start + rest
    assert read_record(content) is None
    assert 1 <= read_orientation(content) <= 8
    assert len(strip_metadata(content)) <= len(content)
