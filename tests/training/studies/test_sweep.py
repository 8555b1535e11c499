import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.commands.terminal import Terminal
from training.datasets.images import ImageSet
from training.errors import Interrupted, RunMismatch, StorageUnavailable
from training.loop.run import Run
from training.measures.judge import Judge, make_network
from training.progress import Progress, quiet
from training.studies import sweep
from training.studies.sweep import Sweep, Worker, best_command, make_folds, open_study, rank_trials, save_picture

CPU = torch.device("cpu")
ASKED = Sweep("lsgan", "mnist", "fid", folds=2, epochs=1, images=512)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweep, "BATCHES", (64, 128))
    monkeypatch.setattr("training.loop.train.LOG_EVERY", 1)
    optuna.logging.set_verbosity(optuna.logging.WARNING)


@pytest.fixture(scope="module")
def judge(digits: ImageSet) -> Judge:
    torch.manual_seed(0)
    return Judge(make_network(1, 10).eval().requires_grad_(False), digits.classes, 0.1)


class Shown(Terminal):
    """A display whose bars of steps are `progress`."""

    def __init__(self, progress: Progress = quiet) -> None:
        self._progress = progress

    @contextmanager
    def steps(self, title: str, total: int, batch: int) -> Iterator[Progress]:  # noqa: ARG002
        yield self._progress


@pytest.fixture
def worker(tmp_path: Path, digits: ImageSet, judge: Judge) -> Worker:
    return Worker(tmp_path / "runs", digits, judge, CPU, Shown())


@pytest.fixture
def opened(tmp_path: Path) -> Callable[[], optuna.Study]:
    return lambda: open_study(ASKED, f"sqlite:///{tmp_path}/sweeps.db", 0)


@given(count=st.integers(4, 200), number=st.integers(2, 4))
def test_every_image_is_held_out_once_and_learned_from_in_the_other_folds(count: int, number: int) -> None:
    held_out = []
    for learned, held in make_folds(count, number):
        assert sorted([*learned.tolist(), *held.tolist()]) == list(range(count))
        held_out += held.tolist()
    assert sorted(held_out) == list(range(count))


def test_a_study_ends_with_so_many_trials_and_goes_on_when_more_are_asked_for(
    tmp_path: Path, opened: Callable[[], optuna.Study], worker: Worker
) -> None:
    sweep.run_trials(opened(), ASKED, worker, 2)
    sweep.run_trials(opened(), ASKED, worker, 2)
    assert sweep.count_finished(opened()) == 2
    sweep.run_trials(opened(), ASKED, worker, 3)
    study = opened()
    trials = rank_trials(study)
    assert len(trials) == 3
    assert study.best_trial == trials[0]
    assert len({trial.params["lr_d"] for trial in trials}) == 3  # opened anew, it suggests nothing twice
    assert [trial.value for trial in trials] == sorted(trial.value or 0 for trial in trials)
    for trial in trials:
        assert trial.value == pytest.approx(trial.intermediate_values[1])
        assert 4e-5 <= trial.params["lr_d"] <= 1e-3
    assert best_command(study).startswith("faussaire train lsgan --data mnist --lr-d ")
    assert f"--batch {study.best_params['batch']}" in best_command(study)
    save_picture(tmp_path / "sweep.png", study)
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_a_trial_that_was_interrupted_is_taken_up_again_where_it_stopped(
    opened: Callable[[], optuna.Study], worker: Worker
) -> None:
    def press(_: int, __: dict[str, float]) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted):
        sweep.run_trials(opened(), ASKED, replace(worker, display=Shown(press)), 1)
    (folder,) = (worker.folder / ASKED.name).iterdir()
    assert [path.name for path in Run(folder / "fold-0").checkpoints()] == ["step-00000001.pt"]
    seen: list[int] = []
    sweep.run_trials(opened(), ASKED, replace(worker, display=Shown(lambda step, _: seen.append(step))), 1)
    assert seen[0] == 2
    assert sweep.count_finished(opened()) == 1
    assert list((worker.folder / ASKED.name).iterdir()) == [folder]


def test_a_study_is_not_continued_with_another_protocol(tmp_path: Path, opened: Callable[[], optuna.Study]) -> None:
    opened()
    with pytest.raises(RunMismatch, match=r"folds=2, not 3; name another --storage"):
        open_study(replace(ASKED, folds=3), f"sqlite:///{tmp_path}/sweeps.db", 0)


@pytest.mark.parametrize(
    "storage", ["sqlite:////nowhere/sweeps.db", "nonsense", "postgresql+nodriver://me:secret@host/name"]
)
def test_a_database_that_cannot_be_opened_is_named_without_its_password(storage: str) -> None:
    with pytest.raises(StorageUnavailable, match=r"give a URL such as sqlite:///runs/sweeps.db") as raised:
        open_study(ASKED, storage, 0)
    assert "secret" not in str(raised.value)
