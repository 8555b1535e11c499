"""Rounds a generator, and measures its images before and after."""

from dataclasses import dataclass

from torch import Tensor

from latent import LatentSpace
from training.datasets.images import ImageSet
from training.export.rounding import round_generator
from training.measures.distances import frechet
from training.measures.judge import Judge
from training.networks.drawer import Drawer
from training.networks.exact import ExactGenerator
from training.networks.gan import Generator
from training.progress import Say

IMAGES = 10_000
DRAWN_AT_ONCE = 250
SEED = 7

BEFORE, AFTER = "FID before rounding", "FID"
"""The names of the two distances in a card."""


@dataclass(frozen=True)
class Rounded:
    """A generator with exact arithmetic, and its Frechet distance to real images before and after the rounding."""

    generator: ExactGenerator
    before: float
    after: float
    images: int
    """how many images were measured"""


def round_and_measure(generator: Generator, space: LatentSpace, judge: Judge, real: ImageSet, say: Say) -> Rounded:
    """Round a generator, and measure its images before and after. Raises ExportRefused."""
    say("rounding")
    exact = round_generator(generator, space)
    say("measuring images")
    features = judge.features(real.images[:IMAGES])
    before = _distance(generator, space, judge, features)
    after = _distance(exact, space, judge, features)
    return Rounded(exact, before, after, len(features))


def _distance(generator: Generator, space: LatentSpace, judge: Judge, real: Tensor) -> float:
    images = Drawer(generator, space, DRAWN_AT_ONCE).draw(len(real), SEED)
    return frechet(real, judge.features(images))
