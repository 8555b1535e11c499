from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.datasets.images import ImageSet, to_unit
from training.loop import headstart
from training.loop.run import Config, Run
from training.loop.step import Batch
from training.loop.train import initial_state, make_step, read_codes, train_run
from training.progress import quiet

CPU = torch.device("cpu")


@given(st.integers(1, 400), st.integers(1, 40), st.integers(0, 6))
def test_steps_of_the_head_start_take_many_batches_and_end_with_each_epoch(
    batch: int, per_epoch: int, epochs: int
) -> None:
    step, ends = 0, []
    while step < per_epoch * (epochs + 1):
        taken = headstart.batches(step, batch, per_epoch, per_epoch * epochs)
        assert taken == 1 or (step < per_epoch * epochs and taken * batch <= headstart.IMAGES)
        step += taken
        ends.append(step)
    assert {per_epoch * k for k in range(1, epochs + 2)} <= set(ends)


def test_the_learning_rate_falls_to_nothing_by_the_end() -> None:
    paces = [headstart.pace(k / 100) for k in range(101)]
    assert paces[0] == paces[50] == 1
    assert paces == sorted(paces, reverse=True)
    assert paces[-1] == pytest.approx(0)


def test_after_its_head_start_the_recogniser_of_classes_holds_still(config: Config, digits: ImageSet) -> None:
    state = initial_state(config, digits, CPU)
    step = make_step(config, digits)
    assert state.players.recogniser is not None
    classes = state.players.recogniser.classes
    batch = Batch(to_unit(digits.images[:32]), digits.labels[:32])

    def moved(number: int) -> bool:
        before = [weights.clone() for weights in classes.state_dict().values()]
        step(state.players, batch, state.source, number)
        return not all(map(torch.equal, before, classes.state_dict().values()))

    assert moved(0)
    assert not moved(step.head_start)


def test_the_labels_of_an_infogan_s_images_change_nothing(config: Config, digits: ImageSet, tmp_path: Path) -> None:
    ends = []
    for name, labels in (("as they are", digits.labels), ("reversed", digits.labels.flip(0))):
        images = replace(digits, labels=labels)
        players = train_run(Run(tmp_path / name), config, images, CPU, quiet).players
        ends.append([*players.discriminator.parameters(), *players.generator.parameters()])
    assert all(map(torch.equal, *ends))


def test_after_its_head_start_an_infogan_goes_by_the_codes_that_q_reads(
    config: Config, digits: ImageSet, tmp_path: Path
) -> None:
    state = train_run(Run(tmp_path), config, digits, CPU, quiet)
    assert state.players.recogniser is not None
    assert state.codes is not None
    assert torch.equal(state.codes, read_codes(state.players.recogniser.classes, digits))
    again = initial_state(config, digits, CPU)
    again.load(Run(tmp_path).last_checkpoint())
    assert again.codes is not None
    assert torch.equal(again.codes, state.codes)


def test_where_labels_say_what_an_image_is_its_neighbours_are_not_looked_for(
    tmp_path: Path, digits: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def looked_for(_: torch.Tensor) -> torch.Tensor:
        raise AssertionError

    monkeypatch.setattr("training.loop.train.neighbourhood", looked_for)
    labelled = Config.of("acgan", head_start=1, data="mnist", seed=5, batch=64, epochs=1)
    assert train_run(Run(tmp_path), labelled, digits, CPU, quiet).step == 8
    with pytest.raises(AssertionError):
        train_run(Run(tmp_path / "unlabelled"), labelled.model_copy(update={"codes": "infogan"}), digits, CPU, quiet)
