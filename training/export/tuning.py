"""Trains a rounded generator on, until it draws what it drew before it was rounded."""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from latent import LatentSpace
from training.export.rounding import largest_sum
from training.networks.exact import WEIGHTS, WHOLE, ExactGenerator, ExactLayer
from training.networks.gan import Generator
from training.networks.latents import draw

STEPS = 400
BATCH = 128
SEED = 13

LR = 0.2
"""Adam's, in units of whole weights; it falls to 0 (Loshchilov and Hutter 2017, equation 5)."""


class RoundThrough(nn.Module):
    """Rounds and clips, and lets gradients straight through the rounding (Bengio et al. 2013)."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self.largest = largest

    def forward(self, values: Tensor) -> Tensor:
        clipped = values.clamp(-self.largest, self.largest)
        return clipped + (clipped.round() - clipped).detach()

    def right_inverse(self, values: Tensor) -> Tensor:
        return values


def tune(exact: ExactGenerator, generator: Generator, space: LatentSpace, weights: int = WEIGHTS) -> ExactGenerator:
    """Train whole weights and biases towards the images of the generator that was rounded.

    Returns a new generator; or the one given, if a sum could now reach 2^24. `weights` is the largest size of a weight.
    """
    tuned = copy.deepcopy(exact).train()
    linears = [layer.linear for layer in tuned.layers if isinstance(layer, ExactLayer)]
    for linear in linears:
        linear.requires_grad_(True)
        parametrize.register_parametrization(linear, "weight", RoundThrough(weights))
        parametrize.register_parametrization(linear, "bias", RoundThrough(WHOLE))
    _follow(tuned, generator, space)
    for linear in linears:
        for name in ("weight", "bias"):
            parametrize.remove_parametrizations(linear, name)
            getattr(linear, name).data.round_()
    tuned.eval().requires_grad_(False)
    return tuned if largest_sum(tuned) < 1 else exact


def _follow(tuned: ExactGenerator, generator: Generator, space: LatentSpace) -> None:
    """Take steps against the squared difference of the images."""
    source = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.Adam([one for one in tuned.parameters() if one.requires_grad], lr=LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        latents = draw(space, BATCH, source)
        with torch.no_grad():
            wanted = generator(*latents)
        loss = (tuned(*latents) - wanted).square().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        schedule.step()
