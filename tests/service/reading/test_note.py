import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from service.errors import UnclearImage
from service.reading.drawing import find_drawing
from service.reading.note import Note, cut_out, find_notes
from service.reading.regions import find_regions

SIDE = 300


def photographed(turn: float, *places: tuple[int, int], stroke: bool = True) -> NDArray[np.uint8]:
    """White paper of 120 by 90 pixels with a black bar, turned clockwise, on a grey table."""
    page = Image.new("L", (SIDE, SIDE), 90)
    paper = Image.new("LA", (120, 90), (240, 255))
    if stroke:
        ImageDraw.Draw(paper).rectangle((50, 20, 62, 70), (20, 255))
    paper = paper.rotate(-turn, Image.Resampling.BICUBIC, expand=True)
    for place in places:
        page.paste(paper.getchannel("L"), place, paper.getchannel("A"))
    return np.asarray(page)


def notes_on(levels: NDArray[np.uint8]) -> list[Note]:
    ink = np.clip((levels.astype(np.float32) - 90) / 165, 0, 1).astype(np.float32)
    return find_notes(ink, find_regions(ink >= 0.3))


@given(st.floats(-44, 44), st.integers(5, 100), st.integers(5, 100))
def test_a_note_is_found_and_cut_out_upright(turn: float, left: int, top: int) -> None:
    levels = photographed(turn, (left, top))
    (note,) = notes_on(levels)
    assert note.angle == pytest.approx(turn, abs=1.5)
    assert note.is_askew == (abs(note.angle) > 30)
    assert sorted(note.size) == pytest.approx([90, 120], abs=4)
    inside = cut_out(levels, note)
    assert np.median(inside) == pytest.approx(240, abs=3)
    rows, columns = np.nonzero(inside < 100)
    assert np.ptp(rows) == pytest.approx(50, abs=5)
    assert np.ptp(columns) == pytest.approx(12, abs=4)


def test_what_is_no_note_is_none() -> None:
    assert notes_on(photographed(10, (50, 50), stroke=False)) == []
    disc = Image.new("L", (SIDE, SIDE), 90)
    ImageDraw.Draw(disc).ellipse((60, 60, 220, 240), 240)
    ImageDraw.Draw(disc).rectangle((130, 120, 142, 180), 20)
    assert notes_on(np.asarray(disc)) == []


def test_several_notes_and_one_that_lies_askew_are_refused() -> None:
    with pytest.raises(UnclearImage, match="several pieces of paper"):
        find_drawing(photographed(0, (10, 10), (150, 180)))
    with pytest.raises(UnclearImage, match="paper lies askew"):
        find_drawing(photographed(40, (50, 50)))


def test_the_drawing_is_that_on_the_note() -> None:
    found = find_drawing(photographed(15, (60, 60)))
    assert found.removed[0] == "surroundings"
    rows, columns = np.nonzero(found.ink > 0.5)
    assert np.ptp(rows) > 2 * np.ptp(columns)
