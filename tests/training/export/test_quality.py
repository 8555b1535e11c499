import pytest
import torch
from torch import Tensor

from latent import LatentSpace
from latent.space import NoiseDistribution
from tests.training.export.test_rounding import linears, random_generator, space_of
from training.datasets.images import ImageSet
from training.export import quality, tuning
from training.export.quality import Rounded, round_closely
from training.export.rounding import round_generator
from training.measures.judge import Judge, load_or_train_judge
from training.networks.exact import ExactGenerator
from training.networks.gan import Generator
from training.networks.latents import draw
from training.progress import quiet

SPACE = space_of(16, 3, 0, NoiseDistribution.UNIFORM)
COARSE = 15


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


def rounded_closely(generator: Generator, judge: Judge, digits: ImageSet) -> tuple[Rounded, list[str]]:
    said: list[str] = []
    return round_closely(generator, SPACE, judge, digits, said.append), said


def test_a_close_rounding_is_kept_as_it_is(generator: Generator, judge: Judge, digits: ImageSet) -> None:
    rounded, said = rounded_closely(generator, judge, digits)
    assert (rounded.before, rounded.images) == (1, len(digits))
    assert 1 < rounded.after < quality.WORSE
    assert said == ["rounding", "measuring images"]


def test_a_rounding_that_costs_quality_is_trained_on(
    generator: Generator, judge: Judge, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    coarse = round_generator(generator, SPACE, COARSE)
    monkeypatch.setattr(quality, "round_generator", lambda *_: coarse)
    monkeypatch.setattr(quality, "WORSE", 1.0001)
    monkeypatch.setattr(tuning, "STEPS", 150)
    rounded, said = rounded_closely(generator, judge, digits)
    assert said[-1] == "training the rounded weights"
    assert 1 < rounded.after < quality._distance(coarse, SPACE, judge, torch.empty(0))


def test_a_training_that_makes_it_worse_is_dropped(
    generator: Generator, judge: Judge, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(exact: ExactGenerator, *_: object) -> ExactGenerator:
        for linear in linears(exact):
            linear.weight.data.zero_()
        return exact

    close = round_generator(generator, SPACE)
    monkeypatch.setattr(quality, "WORSE", 0)
    monkeypatch.setattr(quality, "tune", lambda *_: spoil(round_generator(generator, SPACE)))
    rounded, _ = rounded_closely(generator, judge, digits)
    assert rounded.after == quality._distance(close, SPACE, judge, torch.empty(0))
