import math

import numpy as np
import pytest
import torch
from torch import Tensor

from training.measures.shape import SHAPES, aspect, brightness, height, slant, thickness, width


def bars(**drawn: float) -> Tensor:
    """One upright bar on 56 x 56 pixels, drawn with eight samples a pixel and side."""
    wide, high, degrees = drawn.get("wide", 3.0), drawn.get("high", 40.0), drawn.get("degrees", 0.0)
    y, x = (np.mgrid[: 56 * 8, : 56 * 8] + 0.5) / 8 - 28
    x = x + y * math.tan(math.radians(degrees))  # y points down
    fine = (np.abs(x) <= wide / 2) & (np.abs(y) <= high / 2)
    grey = fine.reshape(56, 8, 56, 8).mean((1, 3)) * drawn.get("light", 1.0)
    return torch.from_numpy((255 * grey).round().astype(np.uint8))[None, None]


@pytest.mark.parametrize("degrees", [-30.0, -5.0, 0.0, 12.0, 40.0])
def test_a_bar_leans_by_the_angle_it_was_drawn_with(degrees: float) -> None:
    assert slant(bars(degrees=degrees))[0] == pytest.approx(degrees, abs=0.7)


@pytest.mark.parametrize("wide", [2.0, 3.0, 5.0, 8.0])
def test_a_bar_is_as_thick_as_it_was_drawn(wide: float) -> None:
    assert thickness(bars(wide=wide))[0] == pytest.approx(wide, rel=0.12)


def test_a_bar_has_its_size_and_light() -> None:
    bar = bars(wide=6, high=30, light=0.6)
    assert width(bar)[0] == pytest.approx(6, abs=0.5)
    assert height(bar)[0] == pytest.approx(30, abs=0.5)
    assert aspect(bar)[0] == pytest.approx(0.2, abs=0.03)
    assert brightness(bar)[0] == pytest.approx(0.6, abs=0.01)


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("name", SHAPES)
def test_a_blank_image_has_no_shape_and_spoils_no_other(name: str) -> None:
    both = torch.cat([torch.zeros(1, 1, 56, 56, dtype=torch.uint8), bars(degrees=10)])
    found = SHAPES[name](both)
    assert math.isnan(found[0])
    assert found[1] == SHAPES[name](bars(degrees=10))[0]
