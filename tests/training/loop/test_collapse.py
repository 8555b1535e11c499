import math
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from training.datasets.images import ImageSet, to_unit
from training.errors import Diverged
from training.loop import collapse
from training.loop.collapse import Watch
from training.loop.players import Players
from training.loop.run import Config, Run
from training.loop.step import AdversarialStep
from training.loop.train import MAX_ROLLBACKS, advance, make_step, roll_back, train_run
from training.measures.histogram import divergence
from training.measures.judge import Judge, make_network
from training.progress import quiet

CPU = torch.device("cpu")


def rows(**columns: list[float]) -> list[dict[str, float]]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize(
    ("readings", "collapsed"),
    [
        ([0.1] * 5 + [1.5, 1.6, 1.6], True),
        ([0.1] * 5 + [0.1, 1.6, 1.6], False),  # two readings may be a bad moment
        ([0.1] * 4 + [1.5, 1.6, 1.6], False),  # too early to tell
        ([2.0, 1.9, 1.8, 1.7, 1.8, 1.7, 1.8, 1.9], False),  # was never healthy
        ([1.0, 0.9, 0.1, 0.9, 1.0, 1.5, 1.6, 1.6], False),  # was lucky once
        ([0.1] * 5 + [0.4, 0.9, 1.0], False),
        ([0.1] * 5 + [0.5] * 20 + [1.5, 1.6, 1.6], True),  # a slow decline hides nothing
    ],
)
def test_classes_are_lost_when_a_run_that_had_them_has_three_uneven_histograms(
    readings: list[float], collapsed: bool
) -> None:
    shares = {f"share_{k}": [0.1] * len(readings) for k in range(10)}
    assert (collapse.reason(rows(class_kl=readings, **shares)) is not None) == collapsed


@pytest.mark.parametrize(
    ("readings", "collapsed"),
    [
        ([1.0] * 10 + [40.0, 50.0, 50.0], True),
        ([1.0] * 10 + [1.0, 50.0, 50.0], False),
        ([1.0] * 10 + [20.0, 20.0, 20.0], False),
        ([1.0] * 5 + [40.0, 50.0, 50.0], False),  # too early to tell
    ],
)
@pytest.mark.parametrize("name", ["gradient_d", "gradient_g"])
def test_a_gradient_spikes_when_it_stays_far_above_its_median(
    readings: list[float], collapsed: bool, name: str
) -> None:
    assert (collapse.reason(rows(**{name: readings})) is not None) == collapsed


def test_the_divergence_is_zero_for_even_shares_and_log_of_the_classes_for_one_class() -> None:
    assert divergence(torch.full((10,), 0.1)) == pytest.approx(0, abs=1e-6)
    assert divergence(torch.eye(10)[3]) == pytest.approx(math.log(10))


@pytest.fixture(scope="module")
def judge(digits: ImageSet) -> Judge:
    network = make_network(1, 10)
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-3)
    torch.manual_seed(0)
    for _ in range(12):
        for rows in torch.split(torch.randperm(len(digits)), 64):
            loss = torch.nn.functional.cross_entropy(network(to_unit(digits.images[rows])), digits.labels[rows])
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    return Judge(network.eval().requires_grad_(False), digits.classes, 0.0)


HEALTHY = 15
"""epochs of sixteen steps before anything is done to the run"""

EPOCHS = 18

RECOVERED = 1.7
"""nats: what the healthy run had, plus less than the rule takes for a collapse; a collapsed one stays above 2"""


def config(epochs: int) -> Config:
    return Config.of("acgan", data="mnist", seed=1, batch=32, epochs=epochs)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, digits: ImageSet, judge: Judge) -> Path:
    """The folder of a run that goes well, and was watched without a word."""
    folder, said = tmp_path_factory.mktemp("healthy"), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        log_often(patch)
        train_run(Run(folder), config(HEALTHY), digits, CPU, quiet, Watch("rollback", judge, said.append))
    assert said == []
    return folder


def log_often(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("training.loop.train.LOG_EVERY", 5)
    patch.setattr("training.loop.train.HISTOGRAM_EVERY", 5)


@pytest.fixture
def provoked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, for five steps, the generator learns a thousand times too fast."""
    log_often(monkeypatch)
    step = AdversarialStep.__call__
    left = iter(range(5))

    def provoking(self: AdversarialStep, players: Players, real: Any, source: torch.Generator, number: int) -> Any:
        fast = next(left, None) is not None
        groups = players.optimiser_g.param_groups
        rates = [group["lr"] for group in groups]
        for group in groups:
            group["lr"] *= 1000 if fast else 1
        terms = step(self, players, real, source, number)
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        return terms

    monkeypatch.setattr(AdversarialStep, "__call__", provoking)


def trained_on(folder: Path, healthy: Path, digits: ImageSet, watch: Watch) -> float:
    """Train a copy of the healthy run on; the divergence of the classes that it ends with."""
    shutil.copytree(healthy, folder, dirs_exist_ok=True)
    train_run(Run(folder), config(EPOCHS), digits, CPU, quiet, watch)
    return Run(folder).read_stats()[-1]["class_kl"]


@pytest.mark.usefixtures("provoked")
def test_a_collapse_that_is_ignored_stays(tmp_path: Path, healthy: Path, digits: ImageSet, judge: Judge) -> None:
    assert trained_on(tmp_path, healthy, digits, Watch("ignore", judge)) > 2


@pytest.mark.usefixtures("provoked")
def test_a_run_that_collapsed_goes_back_and_recovers(
    tmp_path: Path, healthy: Path, digits: ImageSet, judge: Judge
) -> None:
    said = list[str]()
    assert trained_on(tmp_path, healthy, digits, Watch("rollback", judge, said.append)) < RECOVERED
    (line,) = said
    assert re.match(r"collapse at step 2\d\d: .*; rolled back to step 240, learning rates now 0.5 of the first", line)
    rows = Run(tmp_path).read_stats()
    assert [row["step"] for row in rows] == list(range(5, 16 * EPOCHS + 1, 5))
    assert {row["rollbacks"] for row in rows} == {0, 1}


@pytest.mark.usefixtures("provoked")
def test_a_collapse_can_stop_the_run(tmp_path: Path, healthy: Path, digits: ImageSet, judge: Judge) -> None:
    with pytest.raises(Diverged, match=r"collapse at step .*another --seed"):
        trained_on(tmp_path, healthy, digits, Watch("stop", judge))
    assert Run(tmp_path).checkpoints()


def test_a_checkpoint_that_did_not_help_is_passed_over_the_second_time(tmp_path: Path, digits: ImageSet) -> None:
    run, said = Run(tmp_path), list[str]()
    config = Config.of("lsgan", data="mnist", seed=1, batch=64, epochs=2)
    state = train_run(run, config, digits, CPU, quiet)
    for step in (8, 16):
        assert run.checkpoint_path(step).exists()
    watch = Watch("rollback", None, said.append)
    roll_back(run, config, state, "a test", watch)
    assert (state.step, state.rollbacks) == (16, 1)
    advance(state, make_step(config, digits), digits, config)
    assert state.players.optimiser_g.param_groups[0]["lr"] == config.lr_g / 2
    roll_back(run, config, state, "a test", watch)
    assert (state.step, state.rollbacks) == (8, 2)
    advance(state, make_step(config, digits), digits, config)
    assert state.players.optimiser_d.param_groups[0]["lr"] == config.lr_d / 4
    assert not run.checkpoint_path(16).exists()
    assert len(said) == 2
    state.rollbacks = MAX_ROLLBACKS
    with pytest.raises(Diverged, match="another --seed"):
        roll_back(run, config, state, "a test", watch)
