from pathlib import Path
from typing import Any

import pytest

from tests.training.conftest import drawn_digits
from training.commands.terminal import Terminal
from training.datasets.images import ImageSet
from training.studies import scores
from training.studies.scores import FIRST_SEED, Score, measure_accuracies, save_page
from training.studies.spread import show_spread


def of(digits: ImageSet, asked: list[int]) -> Any:
    def images(seed: int) -> ImageSet:
        asked.append(seed)
        return digits

    return images


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "EPOCHS", 1)


@pytest.mark.usefixtures("fast")
def test_a_study_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    digits, asked = drawn_digits(256), list[int]()
    kept = tmp_path / "kept.json"
    first = measure_accuracies(kept, "a", 1, of(digits, asked), digits, Terminal())
    second = measure_accuracies(kept, "a", 2, of(digits, asked), digits, Terminal())
    assert asked == [FIRST_SEED, FIRST_SEED + 1]
    assert second[:1] == first
    assert measure_accuracies(kept, "a", 1, of(digits, asked), digits, Terminal()) == first
    kept.write_text("damaged")
    assert measure_accuracies(kept, "a", 1, of(digits, asked), digits, Terminal()) == first


def test_a_page_has_the_means_and_the_gap_between_them(tmp_path: Path) -> None:
    row = Score("mnist-cgan", "mnist", 60_000, 0.78, (0.98, 0.982), (0.99, 0.99))
    assert row.gap == pytest.approx(0.009)
    save_page(tmp_path / "scores.md", [row])
    page = (tmp_path / "scores.md").read_text()
    assert "| mnist-cgan | mnist | 60,000 | 0.78 | 2 | 98.10% ± 0.14% | 99.00% ± 0.00% | 0.90 |" in page
    assert show_spread((0.5,)) == "50.00%"
