import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.objectives import mutual_information, non_saturating

logits = st.lists(st.floats(-20, 20), min_size=1, max_size=8).map(lambda v: torch.tensor(v, dtype=torch.float64))


@given(logits, logits)
def test_the_non_saturating_losses_are_the_logarithms_of_the_paper(real: torch.Tensor, fake: torch.Tensor) -> None:
    loss_d, loss_g = non_saturating(real, fake)
    by_hand_d = -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean()
    by_hand_g = -fake.sigmoid().log().mean()
    assert loss_d.item() == pytest.approx(by_hand_d.item(), rel=1e-6, abs=1e-9)
    assert loss_g.item() == pytest.approx(by_hand_g.item(), rel=1e-6, abs=1e-9)


def test_the_generator_still_learns_while_every_fake_is_rejected() -> None:
    fake = torch.tensor([-30.0], requires_grad=True)
    non_saturating(torch.tensor([30.0]), fake)[1].backward()  # type: ignore[no-untyped-call]
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(-1.0)


def test_two_views_that_agree_on_ten_even_classes_share_all_the_information_there_is() -> None:
    sure = torch.eye(10).repeat(5, 1) * 50
    assert mutual_information(sure, sure).item() == pytest.approx(math.log(10), rel=1e-4)


def test_views_that_are_all_one_class_or_unsure_share_none() -> None:
    one_class = torch.zeros(20, 10)
    one_class[:, 3] = 50
    assert mutual_information(one_class, one_class).item() == pytest.approx(0, abs=1e-4)
    unsure = torch.zeros(20, 10)
    assert mutual_information(unsure, unsure).item() == pytest.approx(0, abs=1e-6)


def test_information_of_a_known_table_is_the_sum_over_its_cells() -> None:
    first = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).log()
    second = torch.tensor([[0.8, 0.2], [0.2, 0.8]]).log()
    # The mean outer product is [[0.37, 0.13], [0.13, 0.37]], with margins of one half.
    by_hand = 2 * 0.37 * math.log(0.37 / 0.25) + 2 * 0.13 * math.log(0.13 / 0.25)
    assert mutual_information(first, second).item() == pytest.approx(by_hand, rel=1e-5)
