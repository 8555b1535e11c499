import pytest
import torch
from torch import Tensor

from latent import LatentSpace
from latent.space import NoiseDistribution
from tests.training.export.test_rounding import random_generator, space_of
from training.commands.export import WORSE
from training.datasets.images import ImageSet
from training.export import quality
from training.export.quality import round_and_measure
from training.measures.judge import Judge, load_or_train_judge
from training.networks.gan import Generator
from training.networks.latents import draw
from training.progress import quiet

SPACE = space_of(16, 3, 0, NoiseDistribution.UNIFORM)


@pytest.fixture(scope="module")
def judge(digits: ImageSet, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    return load_or_train_judge(
        tmp_path_factory.mktemp("judge") / "mnist.pt", digits, digits, torch.device("cpu"), quiet
    )


@pytest.fixture
def generator(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Generator:
    """A generator whose Frechet distance is 1, and that of another one more, by as much as its images differ.

    Real distances say nothing here: the weights are random.
    """
    original = random_generator("compact", SPACE, digits.shape, 0)

    def distance(other: Generator, space: LatentSpace, *_: Judge | Tensor) -> float:
        latents = draw(space, 256, torch.Generator().manual_seed(0))
        return 1 + float((other(*latents) - original(*latents)).square().mean())

    monkeypatch.setattr(quality, "_distance", distance)
    return original


def test_images_are_measured_before_and_after_the_rounding(
    generator: Generator, judge: Judge, digits: ImageSet
) -> None:
    said: list[str] = []
    rounded = round_and_measure(generator, SPACE, judge, digits, said.append)
    assert (rounded.before, rounded.images) == (1, len(digits))
    assert 1 < rounded.after < WORSE
    assert said == ["rounding", "measuring images"]
