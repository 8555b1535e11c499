import io
import tracemalloc
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from PIL import Image

from latent import Framing, ImageShape, RecogniserCard
from service.errors import BlankImage, RequestError
from service.reading.framing import LARGEST, frame
from service.reading.ground import border

Pixels = NDArray[np.uint8]


def card_of(
    extent: int = 20,
    centred_by: Literal["mass", "box"] = "mass",
    shape: tuple[int, int, Literal[1, 3]] = (28, 28, 1),
) -> RecogniserCard:
    height, width, channels = shape
    return RecogniserCard(
        generator="0" * 64,
        image=ImageShape(height=height, width=width, channels=channels),
        framing=Framing(extent=extent, centred_by=centred_by),
        classes=10,
        styles=0,
    )


CARDS = [
    card_of(),
    card_of(28, "box"),
    card_of(28, "mass"),
    card_of(20, "box", (24, 40, 1)),
    card_of(64, "mass", (40, 24, 1)),
]


def lay(pixels: Pixels, card: RecogniserCard = CARDS[0]) -> Pixels:
    return frame(Image.fromarray(pixels), card).pixels


@st.composite
def drawings(draw: st.DrawFn) -> Pixels:
    """One drawing, of any greys and without a corner, on a page of one shade whose edge is free."""
    height, width = draw(st.tuples(st.integers(1, 40), st.integers(1, 40)))
    inside = draw(arrays(np.uint8, (height, width), elements=st.sampled_from([100, 128, 255, 255])))
    inside[draw(st.integers(1, height)) :, draw(st.integers(1, width)) :] = 0
    assume(inside.max() == 255)
    margin = draw(st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9)))
    return np.pad(inside, (margin[:2], margin[2:]))


def near(one: Pixels, other: Pixels) -> bool:
    """But for the last bit of a mean."""
    return one.shape == other.shape and int(np.abs(one.astype(int) - other).max()) <= 1


@settings(deadline=None)
@given(drawings(), st.sampled_from(CARDS))
def test_an_inverted_image_is_laid_out_the_same(pixels: Pixels, card: RecogniserCard) -> None:
    assert np.array_equal(lay(pixels, card), lay(255 - pixels, card))


@settings(deadline=None)
@given(arrays(np.uint8, st.tuples(st.integers(1, 30), st.integers(1, 30))), st.sampled_from(CARDS))
def test_so_is_one_whose_edge_is_drawn_on(pixels: Pixels, card: RecogniserCard) -> None:
    assume(
        np.median(border(pixels)) != pixels.mean() or np.median(border(pixels)) != 127.5
    )  # else neither way round is the right one
    try:
        expected = lay(pixels, card)
    except RequestError as error:
        with pytest.raises(type(error)):
            lay(255 - pixels, card)
    else:
        assert np.array_equal(lay(255 - pixels, card), expected)


@settings(deadline=None)
@given(drawings(), st.sampled_from(CARDS), st.tuples(*[st.integers(0, 30)] * 4))
def test_a_wider_page_changes_nothing(pixels: Pixels, card: RecogniserCard, more: tuple[int, ...]) -> None:
    wider = np.pad(pixels, (more[:2], more[2:]))
    frame = (card.image.height, card.image.width)
    assume(frame not in (pixels.shape, wider.shape))  # that is laid out already
    assert np.array_equal(lay(wider, card), lay(pixels, card))


@settings(deadline=None)
@given(drawings(), st.sampled_from(CARDS), st.integers(2, 6))
def test_whole_factors_of_size_change_nothing(pixels: Pixels, card: RecogniserCard, factor: int) -> None:
    larger = np.kron(pixels, np.ones((factor, factor), np.uint8))
    frame = (card.image.height, card.image.width)
    assume(frame not in (pixels.shape, larger.shape))
    assert near(lay(larger, card), lay(pixels, card))


@settings(deadline=None)
@given(drawings())
def test_laying_out_again_changes_nothing(pixels: Pixels) -> None:
    once = lay(pixels)
    assert np.array_equal(lay(once[:, :, 0]), once)


@settings(deadline=None)
@given(st.integers(0, 255), st.tuples(st.integers(1, 50), st.integers(1, 50)), st.sampled_from(CARDS))
def test_a_blank_image_is_refused(shade: int, shape: tuple[int, int], card: RecogniserCard) -> None:
    with pytest.raises(BlankImage):
        lay(np.full(shape, shade, np.uint8), card)


@given(arrays(np.uint8, (28, 28), elements=st.sampled_from([0, 0, 0, 99, 255])))
def test_an_image_of_the_frames_size_is_taken_as_it_is(pixels: Pixels) -> None:
    pixels[0], pixels[14, 14] = 0, 255
    pixels[:, 0] = 0
    assert np.array_equal(lay(pixels)[:, :, 0], pixels)
    assert np.array_equal(lay(255 - pixels)[:, :, 0], pixels)


def test_the_longer_side_is_the_extent_and_the_aspect_is_kept() -> None:
    page = np.zeros((300, 300), np.uint8)
    page[20:220, 50:150] = 255  # 200 high, 100 wide
    frame = lay(page)[:, :, 0]
    assert (frame[5:25, 10:20] == 255).all()
    assert frame.sum() == 255 * 200


def test_the_mean_row_and_column_are_those_of_mnist() -> None:
    page = np.zeros((50, 50), np.uint8)
    page[10:30, 10:30] = 255  # as the mean of a digit's rows and columns, of 0 to 27, is 14, and not 13.5
    page[10:30, 10:20] = 128
    frame = lay(page)[:, :, 0].astype(float)
    columns = frame.sum(axis=0)
    assert abs((columns * np.arange(28)).sum() / columns.sum() - 14) <= 0.5


def test_content_is_pasted_by_its_box_where_the_card_says_so() -> None:
    page = np.zeros((50, 50), np.uint8)
    page[10:30, 10:30] = 40
    page[10:30, 10:12] = 255
    by_box = lay(page, card_of(20, "box"))[:, :, 0]
    assert (by_box[4:24, 4:24] > 0).all()
    by_mass = lay(page, card_of(20, "mass"))[:, :, 0]
    assert (by_mass[:, 8:] > 0).any(axis=0).all()  # as far right as the frame goes


def test_grey_grained_paper_becomes_black() -> None:
    rng = np.random.default_rng(0)
    page = np.full((200, 200), 200.0)
    page[50:150, 90:110] = 30
    photo = np.clip(page + rng.normal(0, 4, page.shape) + np.linspace(-6, 6, 200), 0, 255).astype(np.uint8)
    frame = lay(photo)[:, :, 0]
    assert (frame[:, :11] == 0).all()
    assert (frame[:, 17:] == 0).all()
    assert (frame[6:22, 13:15] > 200).all()


def test_jpegs_ringing_is_no_part_of_what_is_drawn() -> None:
    page = np.full((200, 200), 255, np.uint8)
    page[50:150, 90:110] = 0
    buffer = io.BytesIO()
    Image.fromarray(page).save(buffer, "JPEG", quality=60)
    assert np.abs(lay(np.asarray(Image.open(buffer))).astype(int) - lay(page)).mean() < 4


def strokes(ink: int, paper: int, alpha: int) -> Image.Image:
    """A stroke of a colour on paper of a colour, which is there, or not, by its alpha."""
    pixels = np.full((60, 60, 4), (paper, paper, paper, alpha), np.uint8)
    pixels[10:50, 25:33] = (ink, ink, ink, 255)
    return Image.fromarray(pixels)


def test_what_is_drawn_on_no_paper_is_the_same_in_black_and_in_white() -> None:
    expected = frame(strokes(255, 0, 255), CARDS[0]).pixels
    for ink in (0, 255):
        for hidden in (0, 255):  # the colour that transparent pixels have is not seen
            assert np.array_equal(frame(strokes(ink, hidden, 0), CARDS[0]).pixels, expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "I", "F", "PA"])
def test_the_way_that_pixels_are_kept_does_not_matter(mode: str) -> None:
    picture = strokes(255, 0, 255).convert("RGB")
    assert np.array_equal(frame(picture.convert(mode), CARDS[0]).pixels, frame(picture, CARDS[0]).pixels)


def test_a_large_picture_is_looked_at_smaller_and_takes_little_memory() -> None:
    page = np.zeros((4 * LARGEST, 4 * LARGEST), np.uint8)
    page[1000:3000, 1000:2000] = 255
    tracemalloc.start()
    frame = lay(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert near(frame, lay(page[::4, ::4]))
    assert peak < 4 * page.nbytes  # as floats, and twice, it would take eight times


def test_a_line_of_pixels_is_a_picture_too() -> None:
    for length in (3, 16 * LARGEST):
        line = np.zeros((1, length), np.uint8)
        line[0, length // 3 : 2 * length // 3] = 255
        assert lay(line).any()
        assert near(lay(line.T), lay(line).swapaxes(0, 1))


def test_colours_are_kept_and_not_inverted() -> None:
    card = card_of(20, "box", (32, 32, 3))
    page = np.full((60, 60, 3), (250, 240, 230), np.uint8)
    page[10:50, 10:50] = (200, 30, 60)
    frame = lay(page, card)
    assert frame.shape == (32, 32, 3)
    assert (frame[6:26, 6:26] == (200, 30, 60)).all()
    assert (frame[:6] == (250, 240, 230)).all()
    whole = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    assert np.array_equal(lay(whole, card), whole)


def test_a_grey_picture_has_colours_where_the_model_wants_them() -> None:
    page: Any = np.zeros((60, 60), np.uint8)
    page[10:50, 10:50] = 90
    assert (lay(page, card_of(20, "box", (32, 32, 3)))[6:26, 6:26] == 90).all()
