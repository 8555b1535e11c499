"""Draw images with a generator in PyTorch, before its export."""

from dataclasses import dataclass

import torch
from torch import Tensor

from latent import LatentSpace
from training.networks.gan import Generator
from training.networks.latents import Latents, draw


@dataclass(frozen=True)
class Drawer:
    """A generator and its latent space."""

    generator: Generator
    space: LatentSpace
    batch: int | None = None
    """Images drawn at a time; all at once if None."""

    @property
    def device(self) -> torch.device:
        return next(self.generator.parameters()).device

    @torch.no_grad()
    def __call__(self, latents: Latents) -> Tensor:
        """Draw images: uint8 (N, channels, H, W)."""
        if self.batch is None:
            return to_uint8(self.generator(*latents))
        parts = zip(*(torch.split(part, self.batch) for part in latents), strict=True)
        return torch.cat([to_uint8(self.generator(*part)) for part in parts])

    def draw(self, count: int, seed: int) -> Tensor:
        """Draw images of random codes: uint8 (count, channels, H, W)."""
        return self(draw(self.space, count, self.source(seed)))

    def source(self, seed: int) -> torch.Generator:
        """Return a source of random numbers on the generator's device."""
        return torch.Generator(self.device).manual_seed(seed)


def to_uint8(images: Tensor) -> Tensor:
    """Map [-1, 1] to [0, 255], rounded to the nearest, with the arithmetic of the exported graph."""
    return ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
