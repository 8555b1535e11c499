import pytest
import torch
from torch import Tensor, nn

from training.recipes.penalties import Penalty, interpolated, perturbed, slopes, zero_centred

DIRECTION = torch.tensor([1.0, 2.0, 2.0, 0.0]).reshape(1, 1, 2, 2)  # of norm 3


def linear(images: Tensor) -> Tensor:
    return (images * DIRECTION).sum((1, 2, 3))


@pytest.fixture
def source() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    [(interpolated, 10 * (3 - 1) ** 2), (perturbed, 10 * (3 - 1) ** 2), (zero_centred, (3**2 + 3**2) / 2)],
)
def test_a_linear_critic_is_penalised_by_its_slope(penalty: Penalty, expected: float, source: torch.Generator) -> None:
    real, fake = torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2)
    assert penalty(linear, real, fake, source).item() == pytest.approx(expected, rel=1e-5)


def test_slopes_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1), nn.Flatten(0)).double()
    images = torch.rand(3, 1, 2, 2, dtype=torch.float64)
    moves = 1e-6 * torch.eye(4, dtype=torch.float64).reshape(4, 1, 1, 2, 2)
    with torch.no_grad():
        differences = torch.stack([(critic(images + move) - critic(images - move)) / 2e-6 for move in moves])
    assert torch.allclose(slopes(critic, images), differences.norm(dim=0), rtol=1e-5)


def test_each_penalty_looks_where_its_paper_says(source: torch.Generator) -> None:
    seen: list[Tensor] = []

    def critic(images: Tensor) -> Tensor:
        seen.append(images.detach())
        return linear(images)

    real, fake = torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2)
    interpolated(critic, real, fake, source)
    assert seen[-1].min() > 0
    assert seen[-1].max() < 1
    assert torch.equal(seen[-1].amin((1, 2, 3)), seen[-1].amax((1, 2, 3)))  # one share for an image
    perturbed(critic, torch.randn(64, 1, 2, 2, generator=source), fake, source)
    assert (seen[-1] < 1).any()
    zero_centred(critic, real, fake, source)
    assert torch.equal(seen[-2], real)
    assert torch.equal(seen[-1], fake)


@pytest.mark.parametrize("penalty", [interpolated, perturbed, zero_centred])
def test_a_penalty_can_be_descended(penalty: Penalty, source: torch.Generator) -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(4, 1), nn.Flatten(0))
    real, fake = torch.rand(5, 1, 2, 2), torch.rand(5, 1, 2, 2)
    penalty(critic, real, fake, source).backward()  # type: ignore[no-untyped-call]
    (weight, _) = critic.parameters()
    assert weight.grad is not None
    assert weight.grad.abs().sum() > 0
