import pytest
import torch

from latent import ImageShape
from latent.space import NoiseDistribution
from tests.training.export.test_rounding import linears, random_generator, space_of
from training.export import tuning
from training.export.rounding import largest_sum, round_generator
from training.export.tuning import tune
from training.networks.latents import draw

COARSE = 15
"""The largest size of a weight of five bits: images suffer from it."""

SPACE = space_of(16, 3, 1, NoiseDistribution.UNIFORM)
IMAGE = ImageShape(height=8, width=8, channels=1)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "STEPS", 200)


def test_training_on_brings_the_images_back_and_keeps_the_numbers_whole() -> None:
    generator = random_generator("compact", SPACE, IMAGE, 0)
    latents = draw(SPACE, 256, torch.Generator().manual_seed(1))
    wanted = generator(*latents)
    rounded = round_generator(generator, SPACE, COARSE)
    tuned = tune(rounded, generator, SPACE, COARSE)
    before, after = ((exact(*latents) - wanted).square().mean() for exact in (rounded, tuned))
    assert after < 0.7 * before
    assert largest_sum(tuned) < 1
    for linear in linears(tuned):
        assert linear.bias is not None
        assert linear.weight.abs().max() <= COARSE
        assert torch.equal(linear.weight, linear.weight.round())
        assert torch.equal(linear.bias, linear.bias.round())


def test_the_generator_given_is_left_as_it_was() -> None:
    generator = random_generator("mlp", SPACE, IMAGE, 0)
    rounded = round_generator(generator, SPACE)
    latents = draw(SPACE, 16, torch.Generator().manual_seed(1))
    drawn = rounded.grey(*latents)
    tune(rounded, generator, SPACE)
    assert torch.equal(rounded.grey(*latents), drawn)
