import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.conftest import drawn_digits
from training.datasets.neighbours import neighbourhood
from training.datasets.partition import information, partition


def rings(sizes: list[int]) -> torch.Tensor:
    """Return the neighbours (N, 4) of rows in rings: the two before and the two after each, in its own ring."""
    found, start = [], 0
    for size in sizes:
        places = torch.arange(size)[:, None] + torch.tensor([-2, -1, 1, 2])
        found.append(places % size + start)
        start += size
    return torch.cat(found)


def crowds(count: int, size: int, seed: int) -> torch.Tensor:
    """Return the neighbours (N, 5) of rows in crowds of one size: others of the same crowd, at random."""
    source = torch.Generator().manual_seed(seed)
    others = torch.stack([torch.randperm(size - 1, generator=source)[:5] for _ in range(count * size)])
    rows = torch.arange(count * size)[:, None]
    return rows // size * size + (rows + 1 + others) % size


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 8), st.integers(20, 60), st.integers(0, 3))
def test_crowds_that_nothing_joins_are_the_classes(count: int, size: int, seed: int) -> None:
    codes = partition(crowds(count, size, seed), count, seed).reshape(count, size)
    assert (codes == codes[:, :1]).all()
    assert sorted(codes[:, 0].tolist()) == list(range(count))


def test_the_same_seed_finds_the_same_classes() -> None:
    near = crowds(4, 50, 0)
    assert torch.equal(partition(near, 4, 3), partition(near, 4, 3))


def test_copies_of_one_image_are_no_class_of_their_own() -> None:
    near = crowds(2, 60, 0)
    near[:6] = torch.stack([torch.tensor([k for k in range(6) if k != row]) for row in range(6)])
    codes = partition(near, 2, 0)
    assert (codes[6:60] == codes[6]).all()
    assert (codes[60:] == 1 - codes[6]).all()


def test_classes_are_even_where_the_graph_does_not_say() -> None:
    codes = partition(rings([120]), 4, 0)
    assert codes.bincount(minlength=4).tolist() == pytest.approx([30] * 4, abs=3)


def test_more_classes_than_the_images_can_have_are_found_empty() -> None:
    assert partition(rings([6]), 5, 0).shape == (6,)


def test_information_is_that_of_the_pairs() -> None:
    near = rings([30, 30])
    apart = torch.arange(60) // 30
    assert information(apart, near, 2) == pytest.approx(math.log(2))
    assert information(torch.zeros(60, dtype=torch.long), near, 2) == 0
    assert information(torch.arange(60) % 2, near, 2) == pytest.approx(0, abs=1e-3)


def test_copies_of_few_images_are_sorted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.datasets.partition.RESTARTS", 40)  # their eigenvectors do not converge in any number
    codes = partition(neighbourhood(drawn_digits(2_000).images), 10, 0)
    assert sorted(set(codes.tolist())) == list(range(10))
