"""One measure of a generator that is still in training: coarser than an evaluation, in seconds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from latent import LatentSpace
from training.datasets.sources import ImageSet
from training.errors import UnknownName
from training.loop.collapse import divergence
from training.loop.pictures import to_uint8
from training.measures.distances import frechet, kernel
from training.measures.judge import Judge
from training.measures.manifold import manifold
from training.networks.gan import Generator
from training.networks.latents import draw

IMAGES = 2_000
BATCH = 250
SEED = 7

LEAST = ("fid", "kid", "class_kl")
"""of these, less is better; of the others, more"""

MEASURES = (*LEAST, "precision", "recall", "density", "coverage", "confidence")


@dataclass(frozen=True)
class Yardstick:
    """Measures what a generator draws against real images that it did not learn from."""

    measure: str
    judge: Judge
    features: Tensor
    """of the real images, as many as are drawn"""

    @classmethod
    def against(cls, measure: str, judge: Judge, real: ImageSet) -> "Yardstick":
        """Raises UnknownName."""
        if measure not in MEASURES:
            raise UnknownName("measure", measure, list(MEASURES))
        return cls(measure, judge, judge.features(real.images[:IMAGES]))

    @torch.no_grad()
    def read(self, generator: Generator, space: LatentSpace) -> float:
        device = next(generator.parameters()).device
        latents = draw(space, len(self.features), torch.Generator(device).manual_seed(SEED))
        parts = zip(*(torch.split(part, BATCH) for part in latents), strict=True)
        images = torch.cat([to_uint8(generator(*part)) for part in parts])
        return self._of(images.to(self.features.device))

    def _of(self, images: Tensor) -> float:
        if self.measure == "fid":
            return frechet(self.features, self.judge.features(images))
        if self.measure == "kid":
            return kernel(self.features, self.judge.features(images))
        if self.measure in ("class_kl", "confidence"):
            best = self.judge.probabilities(images).max(1)
            shares = torch.bincount(best.indices, minlength=len(self.judge.classes)).double() / len(images)
            return divergence(shares) if self.measure == "class_kl" else best.values.mean().item()
        return float(getattr(manifold(self.features, self.judge.features(images)), self.measure))
