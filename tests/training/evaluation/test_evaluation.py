from pathlib import Path

import pytest
import torch

from latent import Data
from service.settings import ROOT
from training.datasets.images import ImageSet
from training.evaluation import evaluation, report
from training.evaluation.by_class import SEED
from training.evaluation.evaluation import Protocol
from training.export.model import Model
from training.measures import score
from training.measures.judge import Judge, make_network
from training.measures.subject import Real


@pytest.fixture
def judge(digits: ImageSet) -> Judge:
    """Untrained: what it answers is beside the point here."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Judge(make_network(1, 10).eval().requires_grad_(False), digits.classes, 0.1)


@pytest.fixture
def real(digits: ImageSet, monkeypatch: pytest.MonkeyPatch) -> Real:
    monkeypatch.setattr(score, "STEPS", 5)
    return Real.split(digits, digits, SEED)


@pytest.mark.parametrize("name", ["mnist-cgan", "mnist-infogan"])
def test_the_same_model_gives_the_same_evaluation_and_a_page_that_fetches_nothing(
    tmp_path: Path, real: Real, judge: Judge, name: str
) -> None:
    model = Model(ROOT / "models" / f"{name}.onnx")
    said = list[str]()
    protocol = Protocol(judge, 150, say=said.append)
    first = evaluation.evaluate(model, real, protocol, None)
    assert len(said) == evaluation.count_stages(reference=True)
    assert evaluation.evaluate(model, real, protocol, first.real) == first
    assert first.real["copies"] == pytest.approx(0.01, abs=0.01)
    assert sum(first.drawn.histogram.values()) == pytest.approx(1)
    assert first.drawn.has("accuracy")
    page = tmp_path / "evaluation.html"
    report.save_page(page, first.model_copy(update={"model": "<script>"}), model, real, None)
    text = page.read_text(encoding="utf-8")
    assert "<script>" not in text
    assert "http" not in text
    assert text.count("data:image/png;base64,") == 2 + len(model.card.space.styles)


def test_the_real_images_that_pose_as_drawn_are_not_among_the_known(digits: ImageSet) -> None:
    numbered = ImageSet(torch.arange(240, dtype=torch.uint8).reshape(240, 1, 1, 1), *digits_of(digits, 240))
    real = Real.split(numbered, digits, SEED)
    assert sorted([*real.posing.images.flatten().tolist(), *real.known.images.flatten().tolist()]) == list(range(240))
    assert len(real.posing) == 80


def digits_of(digits: ImageSet, count: int) -> tuple[torch.Tensor, tuple[str, ...], Data]:
    return digits.labels[:count], digits.classes, digits.card
