"""One measure of a generator that is still in training: coarser than an evaluation, in seconds."""

from dataclasses import dataclass

import torch
from torch import Tensor

from latent import LatentSpace
from training.datasets.images import ImageSet
from training.errors import UnknownName
from training.measures.distances import frechet, kernel
from training.measures.histogram import divergence
from training.measures.judge import Judge
from training.measures.manifold import manifold
from training.networks.drawer import Drawer
from training.networks.gan import Generator

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

    def read(self, generator: Generator, space: LatentSpace) -> float:
        images = Drawer(generator, space, BATCH).draw(len(self.features), SEED)
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
