import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from latent import ClassCode, Codes, LatentSpace, StyleCode
from latent.dataset import BLOCK, Dataset, shard

SPACE = LatentSpace(
    noise_size=3,
    classes=tuple(ClassCode(name=name) for name in "abc"),
    styles=(StyleCode(name="s"), StyleCode(name="t")),
)
PLACES = st.integers(0, 2**40)


def whole(dataset: Dataset) -> Codes:
    return Codes.concatenate([dataset.codes(items) for items in dataset.blocks()])


@given(items=st.integers(0, 2**40), shards=st.integers(1, 1000), data=st.data())
def test_shards_are_even_and_together_are_all_items(items: int, shards: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, shards - 1))
    mine = shard(items, shards, number)
    assert mine.start == (0 if number == 0 else shard(items, shards, number - 1).stop)
    assert shard(items, shards, shards - 1).stop == items
    assert items // shards <= len(mine) <= items // shards + 1


@pytest.mark.parametrize("number", [-1, 4])
def test_a_shard_that_is_not_there_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="from 0 to 3"):
        shard(10, 4, number)


@given(start=PLACES, before=st.integers(0, 300), count=st.integers(1, 300), balance=st.sampled_from(["even", "drawn"]))
def test_an_item_is_the_same_in_whichever_shard_it_is_asked_for(
    start: int, before: int, count: int, balance: str
) -> None:
    long = whole(Dataset(SPACE, 5, start, start + before + count, balance))  # type: ignore[arg-type]
    short = whole(Dataset(SPACE, 5, start + before, start + before + count, balance))  # type: ignore[arg-type]
    for one, other in zip(
        (long.noise, long.classes, long.styles), (short.noise, short.classes, short.styles), strict=True
    ):
        assert np.array_equal(one[before:], other)


def test_blocks_are_bounded_and_in_order() -> None:
    blocks = list(Dataset(SPACE, 0, 10, 10 + 2 * BLOCK + 1).blocks())
    assert [len(block) for block in blocks] == [BLOCK, BLOCK, 1]
    assert [item for block in blocks for item in block] == list(range(10, 10 + 2 * BLOCK + 1))
    assert list(Dataset(SPACE, 0, 7, 7).blocks()) == []


def test_classes_in_turn_are_even_and_drawn_ones_as_they_come() -> None:
    even = Dataset(SPACE, 1, 0, 301)
    counts = np.bincount(np.concatenate([even.labels(items) for items in even.blocks()]))
    assert counts.max() - counts.min() <= 1
    drawn = Dataset(SPACE, 1, 0, 301, "drawn")
    counts = np.bincount(np.concatenate([drawn.labels(items) for items in drawn.blocks()]))
    assert counts.max() - counts.min() > 1
    assert counts.min() > 50


def test_the_class_weights_are_the_labels_and_a_style_may_be_held() -> None:
    dataset = Dataset(SPACE, 1, 0, 20, styles={1: 0.5})
    codes = dataset.codes(range(20))
    assert np.array_equal(codes.classes.argmax(1), dataset.labels(range(20)))
    assert (codes.styles[:, 1] == 0.5).all()
    assert len(set(codes.styles[:, 0].tolist())) == 20


def test_a_space_without_classes_has_one_label() -> None:
    dataset = Dataset(LatentSpace(noise_size=3), 1, 0, 4)
    assert dataset.labels(range(4)).tolist() == [0, 0, 0, 0]
    assert dataset.codes(range(4)).classes.shape == (4, 0)
