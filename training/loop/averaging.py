"""The exponential moving average of a generator's weights, which draws better images than the last weights do."""

import copy

import torch
from torch import Tensor, nn

from latent import LatentSpace
from training.networks.gan import Generator
from training.networks.latents import draw

DECAY = 0.99
"""Of what the average was, a step keeps so much: a memory of a hundred steps."""
RECOMPUTE_BATCHES = 16
RECOMPUTE_ROWS = 256


class Average:
    """Follows a generator (Yazici et al. 2019, equation 2)."""

    def __init__(self, generator: Generator) -> None:
        self.generator = copy.deepcopy(generator).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, generator: Generator, step: int) -> None:
        """Move towards the generator's weights, faster at first, to forget the initial weights."""
        decay = min(DECAY, (1 + step) / (10 + step))
        mine: list[Tensor] = list(self.generator.parameters())
        torch._foreach_lerp_(mine, list(generator.parameters()), 1 - decay)


@torch.no_grad()
def recompute_batch_norm(generator: Generator, space: LatentSpace, seed: int) -> None:
    """Measure the batch-norm statistics again: those from training belong to other weights."""
    norms = [m for m in generator.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over all batches
    device = next(generator.parameters()).device
    source = torch.Generator(device).manual_seed(seed)
    generator.train()
    for _ in range(RECOMPUTE_BATCHES):
        generator(*draw(space, RECOMPUTE_ROWS, source))
    generator.eval()
