from pathlib import Path

import pytest
import torch

from tests.training.conftest import drawn_digits, first
from training.datasets.images import ImageSet
from training.errors import CorruptCheckpoint
from training.measures.judge import Judge, has_learned, load_or_train_judge, total_steps
from training.progress import quiet

CPU = torch.device("cpu")
DIGITS = drawn_digits(90)


def judge_of(path: Path, train: ImageSet, test: ImageSet) -> Judge:
    return load_or_train_judge(path, train, test, CPU, quiet)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("judges")


def test_sixty_images_are_seen_often_enough_to_learn_their_classes(folder: Path) -> None:
    train, test = first(DIGITS, 60), DIGITS.rows(torch.arange(60, 90))
    judge = judge_of(folder / "digits.pt", train, test)
    assert judge.able
    assert judge.test_accuracy > 0.8
    again = judge_of(folder / "digits.pt", train, test)
    assert (again.able, again.digest()) == (True, judge.digest())


def test_of_one_class_there_is_nothing_to_judge(folder: Path) -> None:
    alike = ImageSet(DIGITS.images, torch.zeros(90, dtype=torch.long), ("things",), DIGITS.card)
    assert total_steps(alike) == 0
    judge = judge_of(folder / "one.pt", alike, alike)
    assert not judge.able
    assert judge.protocol() == "no classifier can judge: there is one class"


def test_a_judge_that_is_no_better_than_a_guess_says_so(folder: Path) -> None:
    torch.manual_seed(0)
    noise = torch.randint(0, 256, (60, 1, 28, 28), dtype=torch.uint8)
    random = ImageSet(noise, torch.arange(60) % 3, ("a", "b", "c"), DIGITS.card)
    judge = judge_of(folder / "noise.pt", random.rows(torch.arange(30)), random.rows(torch.arange(30, 60)))
    assert not judge.able
    assert "the classifier cannot judge" in judge.protocol()


def test_chance_counts_for_more_where_there_are_few_images() -> None:
    assert has_learned(1.0, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert not has_learned(0.5, torch.tensor([0, 1, 2, 0, 1, 2]))
    assert has_learned(0.5, torch.arange(3).repeat(100))
    assert not has_learned(0.9, torch.tensor([0] * 90 + [1] * 10))
    assert not has_learned(1.0, torch.zeros(50, dtype=torch.long))


def test_a_damaged_judge_is_named(folder: Path) -> None:
    path = folder / "damaged.pt"
    path.write_bytes(b"PK\3\4 and then nothing")
    with pytest.raises(CorruptCheckpoint, match=r"damaged\.pt is damaged.*trained again"):
        judge_of(path, DIGITS, DIGITS)
