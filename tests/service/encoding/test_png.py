import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from latent.origin import SheetOrigin
from latent.sheet import tile
from service.encoding.png import encode_png

ORIGIN = SheetOrigin(model="small", digest="0" * 64, seed=1, index=0, n=1)

shapes = st.tuples(st.integers(1, 20), st.integers(1, 20), st.sampled_from([1, 3]))


@given(shapes.flatmap(lambda shape: arrays(np.uint8, shape)))
def test_a_png_decodes_to_the_very_pixels(image: np.ndarray) -> None:
    decoded = np.asarray(Image.open(io.BytesIO(encode_png(image, ORIGIN))))
    assert np.array_equal(decoded.reshape(image.shape), image)


@pytest.mark.parametrize(("count", "columns", "rows"), [(2, 2, 1), (3, 2, 2), (10, 4, 3), (100, 10, 10)])
def test_a_sheet_has_the_images_row_by_row(count: int, columns: int, rows: int) -> None:
    images = np.arange(1, count + 1, dtype=np.uint8)[:, None, None, None] * np.ones((1, 4, 5, 1), np.uint8)
    whole = tile(images)
    assert whole.shape == (rows * 4, columns * 5, 1)
    cells = whole[::4, ::5, 0].ravel()
    assert cells[:count].tolist() == list(range(1, count + 1))
    assert not cells[count:].any()
