import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.distributions import Normal, kl_divergence

from training.recipes import objectives
from training.recipes.objectives import Losses, non_saturating

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


REAL = torch.tensor([2.0, 0.0])
FAKE = torch.tensor([-1.0, 1.0])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


CROSS_ENTROPY = (
    -(math.log(sigmoid(2)) + math.log(sigmoid(0))) / 2 - (math.log(1 - sigmoid(-1)) + math.log(1 - sigmoid(1))) / 2
)


@pytest.mark.parametrize(
    ("losses", "of_d", "of_g"),
    [
        (objectives.non_saturating, CROSS_ENTROPY, -(math.log(sigmoid(-1)) + math.log(sigmoid(1))) / 2),
        (objectives.minimax, CROSS_ENTROPY, (math.log(1 - sigmoid(-1)) + math.log(1 - sigmoid(1))) / 2),
        (objectives.least_squares, (1 + 1) / 4 + (1 + 1) / 4, (4 + 0) / 4),
        (objectives.wasserstein, 0.0 - 1.0, 0.0),
        (objectives.hinge, (0 + 1) / 2 + (0 + 2) / 2, 0.0),
        (
            objectives.relativistic,
            -(math.log(sigmoid(3)) + math.log(sigmoid(-1))) / 2,
            -(math.log(sigmoid(-3)) + math.log(sigmoid(1))) / 2,
        ),
    ],
)
def test_losses_of_logits_are_those_worked_out_by_hand(losses: Losses, of_d: float, of_g: float) -> None:
    loss_d, loss_g = losses(REAL, FAKE)
    assert loss_d.item() == pytest.approx(of_d, abs=1e-6)
    assert loss_g.item() == pytest.approx(of_g, abs=1e-6)


def test_losses_of_energies_are_those_worked_out_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objectives, "ENERGY_MARGIN", 0.3)
    real, fake = torch.tensor([0.1, 0.3]), torch.tensor([0.2, 0.5])
    loss_d, loss_g = objectives.energy(real, fake)
    assert loss_d.item() == pytest.approx(0.2 + (0.1 + 0) / 2)
    assert loss_g.item() == pytest.approx(0.35)
    loss_d, loss_g = objectives.equilibrium(real, 0.4 * fake)
    assert loss_d.item() == pytest.approx(0.2 - 0.4 * 0.35)
    assert objectives.equilibrium(real, fake)[1].item() == pytest.approx(0.35)


@pytest.mark.parametrize(
    ("weight", "real", "fake", "expected"),
    [(0.5, 0.2, 0.35, 0.5 + 0.01 * (0.1 - 0.35)), (0.0, 0.2, 0.35, 0.0), (1.0, 0.9, 0.1, 1.0)],
)
def test_the_balance_of_began_follows_its_control_and_stays_a_share(
    weight: float, real: float, fake: float, expected: float
) -> None:
    after = objectives.balance(torch.tensor(weight), torch.tensor([real]), torch.tensor([fake]))
    assert after.item() == pytest.approx(expected)


def test_the_gradient_of_the_minimax_generator_vanishes_while_every_fake_is_rejected() -> None:
    fake = torch.full((4,), -20.0, requires_grad=True)  # D is sure
    (minimax,) = torch.autograd.grad(objectives.minimax(REAL, fake)[1], fake)
    (non_saturating,) = torch.autograd.grad(objectives.non_saturating(REAL, fake)[1], fake)
    assert minimax.abs().sum() < 1e-8
    assert non_saturating.abs().sum() > 0.99


@given(st.lists(st.floats(-3, 3), min_size=6, max_size=6), st.lists(st.floats(-2, 2), min_size=6, max_size=6))
def test_the_divergence_of_the_evidence_bound_is_that_of_torch_distributions(
    means: list[float], log_variances: list[float]
) -> None:
    mean, log_variance = torch.tensor(means).reshape(2, 3), torch.tensor(log_variances).reshape(2, 3)
    zeros = torch.zeros(2, 1, 2, 2)
    _, divergence = objectives.evidence_bound(zeros, zeros, mean, log_variance)
    gaussian = Normal(mean, (log_variance / 2).exp())
    expected = kl_divergence(gaussian, Normal(0.0, 1.0)).sum(1).mean()
    assert divergence.item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)


def test_the_reconstruction_of_the_evidence_bound_is_the_bernoullis() -> None:
    logits = torch.tensor([[0.5, -1.0], [2.0, 0.0]]).reshape(2, 1, 1, 2)
    real = torch.tensor([[1.0, 0.0], [0.25, 0.5]]).reshape(2, 1, 1, 2)
    reconstruction, _ = objectives.evidence_bound(logits, real, torch.zeros(2, 1), torch.zeros(2, 1))
    p = logits.sigmoid()
    expected = -(real * p.log() + (1 - real) * (1 - p).log()).sum() / 2
    assert reconstruction.item() == pytest.approx(expected.item(), rel=1e-5)
