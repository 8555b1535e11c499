import numpy as np
import pytest
from numpy.typing import NDArray

from bench.pages import Reader, load_digits
from service.reading.edge import edge_frame
from tests.training.conftest import real_data_dir


def test_a_frame_has_the_width_that_it_was_drawn_with() -> None:
    for width in range(4):
        picture = np.full((50, 40), 255, np.uint8)
        picture[:width] = picture[50 - width :] = 0
        picture[:, :width] = picture[:, 40 - width :] = 0
        picture[20:30, 15:25] = 10
        assert edge_frame(picture) == edge_frame(255 - picture) == width


@pytest.fixture(scope="module")
def digits() -> tuple[NDArray[np.uint8], list[str]]:
    folder = real_data_dir()
    if folder is None:
        pytest.skip("no real data here; set FAUSSAIRE_DATA_DIR")
    return load_digits(folder)


def test_no_real_digit_has_a_frame(digits: tuple[NDArray[np.uint8], list[str]]) -> None:
    assert not any(edge_frame(image) or edge_frame(255 - image) for image in digits[0][:2_000])


@pytest.mark.parametrize("side", [28, 50])
@pytest.mark.parametrize("width", [1, 2])
def test_a_digit_in_a_frame_is_read(digits: tuple[NDArray[np.uint8], list[str]], side: int, width: int) -> None:
    reader, right = Reader(), 0
    for image, label in zip(digits[0][:20], digits[1], strict=False):
        room = (side - 28) // 2
        page = 255 - np.pad(image, room)
        page[:width] = page[-width:] = 0
        page[:, :width] = page[:, -width:] = 0
        read = reader.read(page)
        assert read.removed is not None
        assert read.removed[0] == "frame"
        right += read.class_ == label
    assert right >= 19
