import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm
from torch import Tensor

from training.measures.distances import frechet, kernel


def clouds() -> tuple[Tensor, Tensor]:
    source = torch.Generator().manual_seed(0)
    first = torch.randn(400, 8, generator=source)
    return first, torch.randn(300, 8, generator=source) * 1.5 + 0.3


def test_the_frechet_distance_is_that_of_a_second_implementation() -> None:
    first, second = (cloud.double().numpy() for cloud in clouds())
    roots = np.real(sqrtm(np.cov(first.T) @ np.cov(second.T)))
    apart = ((first.mean(0) - second.mean(0)) ** 2).sum()
    expected = apart + np.trace(np.cov(first.T) + np.cov(second.T) - 2 * roots)
    assert frechet(*clouds()) == pytest.approx(expected, rel=1e-3)


def test_the_kernel_distance_is_that_of_a_second_implementation() -> None:
    first, second = (cloud[:300].double().numpy() for cloud in clouds())

    def cubic(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return np.asarray((a @ b.T / 8 + 1) ** 3)

    def within(a: np.ndarray) -> float:
        values = cubic(a, a)
        return float((values.sum() - np.trace(values)) / (len(a) * (len(a) - 1)))

    expected = within(first) + within(second) - 2 * cubic(first, second).mean()
    first_tensor, second_tensor = clouds()
    assert kernel(first_tensor[:300], second_tensor) == pytest.approx(expected, rel=1e-3)


def test_the_same_clouds_give_the_same_figures_and_leave_the_random_numbers_alone() -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    assert kernel(*clouds()) == kernel(*clouds())
    assert torch.equal(torch.rand(3), expected)
