import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from latent.png import COMPRESSED, STORED, encode_png, store_pngs, stored_size
from latent.sheet import tile

shapes = st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))


@given(shapes.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_a_png_decodes_to_the_very_pixels(image: np.ndarray) -> None:
    decoded = np.asarray(Image.open(io.BytesIO(encode_png(image))))
    assert np.array_equal(decoded.reshape(image.shape), image)


@pytest.mark.parametrize("length", [1, COMPRESSED, COMPRESSED + 1, 100_000])
def test_a_png_has_its_text_short_or_long(length: int) -> None:
    image = np.full((4, 5, 1), 7, np.uint8)
    picture = Image.open(io.BytesIO(encode_png(image, "faussaire", "x" * length)))
    assert picture.info["faussaire"] == "x" * length
    assert np.array_equal(np.asarray(picture), image[:, :, 0])


def test_a_png_without_a_text_has_no_text_chunk() -> None:
    assert encode_png(np.zeros((4, 5, 3), np.uint8)).count(b"tEXt") == 0


@pytest.mark.parametrize(("count", "columns", "rows"), [(2, 2, 1), (3, 2, 2), (10, 4, 3), (100, 10, 10)])
def test_a_sheet_has_the_images_row_by_row(count: int, columns: int, rows: int) -> None:
    images = np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 5, 1), np.uint8)
    whole = tile(images)
    assert whole.shape == (rows * 4, columns * 5, 1)
    cells = whole[::4, ::5, 0].ravel()
    assert cells[:count].tolist() == list(range(1, count + 1))
    assert not cells[count:].any()


@given(shapes.flatmap(lambda shape: arrays(np.uint8, (2, *shape))))
def test_a_stored_png_has_the_very_pixels_and_a_known_length(images: np.ndarray) -> None:
    for image, stored in zip(images, store_pngs(images), strict=True):
        assert len(stored) == stored_size(*image.shape)
        decoded = Image.open(io.BytesIO(stored))
        decoded.load()
        assert np.array_equal(np.asarray(decoded).reshape(image.shape), image)


@pytest.mark.parametrize("width", [STORED - 1, STORED, 2 * STORED - 1, 2 * STORED])
def test_a_stored_png_of_many_blocks_is_read(width: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (1, 1, width, 1), np.uint8)
    (stored,) = store_pngs(image)
    assert len(stored) == stored_size(1, width, 1)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(stored))), image[0, :, :, 0])


def test_no_library_decides_the_bytes_of_a_stored_png() -> None:
    (stored,) = store_pngs(np.arange(12, dtype=np.uint8).reshape(1, 2, 2, 3))
    assert stored.hex() == (
        "89504e470d0a1a0a 0000000d 49484452 00000002 00000002 08 02 00 00 00 fdd49a73"
        "00000019 49444154 7801 01 0e00 f1ff 00000102030405 00060708090a0b 013b0043 39c1271b"
        "00000000 49454e44 ae426082"
    ).replace(" ", "")
