import math

import pytest
import torch
from torch import Tensor, nn

from latent import ClassCode, ImageShape, LatentSpace, StyleCode
from training.export import styles
from training.export.styles import REACHES, find_effect, find_range, measure_readability, measure_styles, sweep
from training.measures.judge import Judge
from training.networks.drawer import Drawer
from training.networks.gan import Generator

SPACE = LatentSpace(
    noise_size=2,
    classes=(ClassCode(name="low"), ClassCode(name="high")),
    styles=(StyleCode(name="style-1"), StyleCode(name="style-2"), StyleCode(name="style-3")),
)


class Bars(Generator):
    """Draws a bar: its class is its height, the first style code its slant, the second its light, the third nothing."""

    def __init__(self, light: float = 0.8) -> None:
        super().__init__(nn.Sequential(nn.Identity()), ImageShape(height=28, width=28, channels=1))
        self.light = light
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, noise: Tensor, classes: Tensor, styles: Tensor) -> Tensor:
        y, x = torch.meshgrid(torch.arange(28.0) - 13.5, torch.arange(28.0) - 13.5, indexing="ij")
        lean = torch.tan(styles[:, 0, None, None] * math.radians(25))
        tall = 6 + 4 * classes[:, 1, None, None]
        inside = torch.sigmoid(4 * (2 + 0.2 * noise[:, :1, None] - (x + lean * y).abs())) * (y.abs() < tall)
        light = (self.light + 0.2 * styles[:, 1, None, None]).clamp(0, 1)
        return (2 * inside * light - 1)[:, None]


class HeightReader(nn.Module):
    """Tells the bars apart by their height, but takes dark ones for low."""

    def forward(self, images: Tensor) -> Tensor:
        rows = (images.flatten(2).reshape(-1, 28, 28) > 0).any(2).sum(1)
        return torch.stack([16.5 - rows, rows - 16.5], 1).float()


@pytest.fixture
def drawer() -> Drawer:
    return Drawer(Bars().eval(), SPACE)


@pytest.fixture
def judge() -> Judge:
    return Judge(nn.Sequential(HeightReader()), ("low", "high"), 1.0)


def test_along_a_sweep_only_the_code_differs(drawer: Drawer) -> None:
    images = sweep(drawer, 2, torch.linspace(-1, 1, 5).double().numpy())
    assert images.shape[:2] == (2 * styles.SWEEPS, 5)
    assert torch.equal(images[:, 0], images[:, 4])
    moved = sweep(drawer, 0, torch.linspace(-1, 1, 5).double().numpy())
    assert torch.equal(moved[:, 2], moved[:, 2])
    assert not torch.equal(moved[:, 0], moved[:, 4])


def test_a_code_is_what_it_moves_most_steadily_with_its_direction(drawer: Drawer) -> None:
    name, rho, effect = find_effect(drawer, 0, -1, 1)
    assert name == "slant"
    assert rho == pytest.approx(1, abs=0.01)
    assert effect.startswith("slant from -2")
    name, rho, _ = find_effect(drawer, 1, -1, 1)
    assert name == "brightness"
    assert rho == pytest.approx(1, abs=0.01)
    _, rho, _ = find_effect(drawer, 2, -1, 1)
    assert rho == 0


def test_a_code_reaches_as_far_as_the_judge_still_knows_the_class(drawer: Drawer, judge: Judge) -> None:
    # A bar at half its light or less is dark for this judge: 0.8 + 0.2 s > 0.5 where s > -1.5.
    assert find_range(drawer, 1, judge) == (-1.25, REACHES[-1])


def test_a_code_reaches_at_least_as_far_as_in_training(judge: Judge) -> None:
    assert find_range(Drawer(Bars(light=0.6).eval(), SPACE), 1, judge) == (-1, REACHES[-1])


def test_the_regressor_reads_what_is_there_and_nothing_else(drawer: Drawer) -> None:
    slanted, lit, nothing = measure_readability(drawer)
    assert slanted > 0.8
    assert lit > 0.8
    assert nothing < 0.1


def test_the_card_gets_names_where_they_are_earned(
    drawer: Drawer, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "measure_readability", lambda _: [0.9, 0.8, 0.0])
    first, second, third = measure_styles(drawer, judge)
    assert (first.name, second.name, third.name) == ("slant", "brightness", "style-3")
    assert (first.r2, second.r2, third.r2) == (0.9, 0.8, 0.0)
    assert third.rho == 0
