"""One measure of a generator that is still in training: coarser than an evaluation, but in seconds."""

from dataclasses import dataclass

from torch import Tensor

from latent import LatentSpace
from training.datasets.images import ImageSet
from training.errors import UnknownName
from training.measures.judge import Judge
from training.measures.registry import find_quick_figures
from training.measures.subject import Glance, Measure
from training.networks.drawer import Drawer
from training.networks.gan import Generator

IMAGES = 2_000
BATCH = 250
SEED = 7


def less_is_better(measure: str) -> bool:
    """Raises UnknownName."""
    return next(figure for figure in _find(measure).figures if figure.key == measure).less_is_better


@dataclass(frozen=True)
class Yardstick:
    """Measures drawn images against real images that the generator did not learn from."""

    measure: str
    judge: Judge
    features: Tensor
    """The judge's features of the real images, as many as are drawn."""

    @classmethod
    def against(cls, measure: str, judge: Judge, real: ImageSet) -> "Yardstick":
        """Raises UnknownName."""
        _find(measure)
        return cls(measure, judge, judge.features(real.images[:IMAGES]))

    def read(self, generator: Generator, space: LatentSpace) -> float | None:
        """The measure; None if the judge cannot judge, or the images are too few for it."""
        if not self.judge.able:
            return None
        images = Drawer(generator, space, BATCH).draw(len(self.features), SEED)
        glance = Glance(images.to(self.features.device), self.judge, self.features)
        figures = _find(self.measure).glance
        assert figures is not None
        return figures(glance).get(self.measure)


def _find(measure: str) -> Measure:
    known = find_quick_figures()
    if measure not in known:
        raise UnknownName("measure", measure, list(known))
    return known[measure]
