import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import ndimage

from service.reading.regions import find_regions, join_boxes

Mask = NDArray[np.bool_]


@settings(deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 20), st.integers(1, 20))))
def test_regions_are_those_that_scipy_finds(mask: Mask) -> None:
    regions = find_regions(mask)
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    assert len(regions) == count
    assert np.array_equal(regions.labels >= 0, mask)
    assert (np.diff(regions.areas) <= 0).all()
    for k, (area, box) in enumerate(zip(regions.areas, regions.boxes.tolist(), strict=True)):
        rows, columns = np.nonzero(regions.labels == k)
        assert len(set(labels[rows, columns])) == 1
        assert (area, box) == (len(rows), [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1])
        at_edge = 0 in (rows.min(), columns.min()) or box[2] == mask.shape[0] or box[3] == mask.shape[1]
        assert regions.touching[k] == at_edge


@pytest.mark.parametrize("share", [0.1, 0.4, 0.6])
def test_a_page_of_noise_takes_few_rounds(share: float) -> None:
    mask = np.random.default_rng(0).random((1024, 1024)) < share
    assert len(find_regions(mask)) == ndimage.label(mask, np.ones((3, 3)))[1]


def test_a_box_about_boxes_holds_all() -> None:
    assert join_boxes(np.array([[3, 4, 9, 9], [5, 1, 6, 20]])).tolist() == [3, 1, 9, 20]
