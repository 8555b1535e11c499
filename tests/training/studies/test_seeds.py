from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from latent import Codes, draw_noise, draw_styles
from tests.training.studies.test_comparison import compared
from training.datasets.images import ImageSet
from training.evaluation.by_class import SEED
from training.export.model import Model, RecogniserModel
from training.measures.judge import Judge, make_network
from training.studies import seeds
from training.studies.seeds import SeedResult, draw_sweep, matched_share, measure_seed

NAMES = tuple("0123456789")


def test_codes_that_are_labels_by_another_name_are_all_matched() -> None:
    labels = np.arange(100) % 10
    assert matched_share((labels + 3) % 10, labels, 10) == 1


def test_two_labels_in_one_code_count_once() -> None:
    labels = np.arange(100) % 10
    assert matched_share(np.where(labels == 9, 4, labels), labels, 10) == 0.9


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60), st.permutations(range(5)))
def test_the_share_does_not_depend_on_what_codes_are_called(pairs: list[tuple[int, int]], names: list[int]) -> None:
    codes, labels = (np.array(column) for column in zip(*pairs, strict=True))
    share = matched_share(codes, labels, 5)
    assert matched_share(np.array(names)[codes], labels, 5) == pytest.approx(share)
    assert share >= max(np.bincount(labels)) / len(labels) / 5


@pytest.fixture(scope="module")
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(make_network(1, 10).eval(), NAMES, 0.1)


@pytest.fixture(scope="module")
def run(models_dir: Path, judge: Judge, digits: ImageSet) -> SeedResult:
    return measure_seed(compared("infogan", accuracy=0.5), models_dir / "small.onnx", judge, digits, digits)


def test_what_is_drawn_again_is_drawn_from_the_codes_that_were_read(
    run: SeedResult, models_dir: Path, digits: ImageSet
) -> None:
    model, recogniser = Model(models_dir / "small.onnx"), RecogniserModel(models_dir / "small.onnx")
    weights, styles = recogniser.read(digits.images[:3])
    assert weights.shape == (3, 10)
    assert weights.sum(1) == pytest.approx(1, abs=1e-5)
    assert styles.shape == (3, 2)
    assert 0 <= run.kept <= 1
    assert -1 <= run.slants <= 1
    assert run.read == matched_share(recogniser.read(digits.images)[0].argmax(1), digits.labels.numpy(), 10)
    assert run.read_all == run.read  # here the images of training are those of the test
    assert 0 < run.information < 1
    assert -1 < run.rand < 1
    assert model.card.space == run.space


def test_nothing_but_the_style_code_moves_along_a_sweep(models_dir: Path) -> None:
    model = Model(models_dir / "small.onnx")
    images = draw_sweep(model, 1)
    assert images.shape == (10, seeds.STEPS, 28, 28, 1)
    space = model.card.space
    noise = np.asarray(draw_noise(space, SEED, 0, 10))
    styles = np.asarray(draw_styles(space, SEED, 0, 10))
    styles[:, 1] = space.styles[1].high
    last = model.generate(Codes(noise, np.eye(10, dtype=np.float32), styles), 10)
    assert np.array_equal(images[:, -1], last)


def test_the_page_has_a_row_a_run_their_mean_and_a_picture(run: SeedResult, tmp_path: Path) -> None:
    seeds.save_page(tmp_path / "codes.md", [run, run])
    text = (tmp_path / "codes.md").read_text(encoding="utf-8")
    assert text.count("| slim | 0 | 50.00% |") == 2
    assert "| slim | mean of 2 | 50.00% ± 0.00% |" in text
    assert text.count("| slant |") == 2
    assert "pictures/sweeps-mnist.png" in text
    with Image.open(tmp_path / "pictures" / "sweeps-mnist.png") as picture:
        assert picture.size == (2 * 616 + 24, 24 + 560)


def test_agreement_is_whole_for_labels_by_other_names_and_none_for_one_code() -> None:
    labels = torch.arange(100) % 10
    assert seeds.measure_agreement((labels + 3) % 10, labels) == pytest.approx((1, 1))
    assert seeds.measure_agreement(torch.zeros(100, dtype=torch.long), labels) == pytest.approx((0, 0), abs=1e-6)
