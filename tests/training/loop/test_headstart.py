from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from training.datasets.images import ImageSet, to_unit
from training.loop import headstart
from training.loop.run import Config, Run
from training.loop.step import Batch
from training.loop.train import initial_state, make_step, train_run
from training.progress import quiet
from training.recipes.objectives import mutual_information

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


def test_entropy_counts_less_and_less_and_once_in_the_end() -> None:
    weights = [headstart.evenness(k / 100) for k in range(101)]
    assert weights[0] == headstart.EVENNESS
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == 1


def test_the_learning_rate_falls_to_nothing_by_the_end() -> None:
    paces = [headstart.pace(k / 100) for k in range(101)]
    assert paces[0] == paces[50] == 1
    assert paces == sorted(paces, reverse=True)
    assert paces[-1] == pytest.approx(0)


def test_evenness_prefers_a_code_a_class_to_one_code_for_two() -> None:
    def sure(codes: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.one_hot(codes, 10) * 50.0

    classes = torch.arange(10).repeat(10)
    apart, together = sure(classes), sure(classes.clamp_min(1))
    for evenness in (1.0, 3.0):
        gain = mutual_information(apart, apart, evenness) - mutual_information(together, together, evenness)
        # Two of ten codes in one lose a fifth of log 2, and that as many times as entropy counts.
        assert gain.item() == pytest.approx(evenness * 0.2 * torch.tensor(2.0).log().item(), rel=1e-3)


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


def test_the_labels_of_an_infogan_s_images_change_nothing(config: Config, digits: ImageSet) -> None:
    ends = []
    for labels in (digits.labels, digits.labels.flip(0)):
        state = initial_state(config, digits, CPU)
        step = make_step(config, digits)
        for number in (0, step.head_start, step.head_start + 1):
            step(state.players, Batch(to_unit(digits.images[:64]), labels[:64]), state.source, number)
        ends.append([*state.players.discriminator.parameters(), *state.players.generator.parameters()])
    assert all(map(torch.equal, *ends))


def test_heads_are_compared_by_what_they_told_of_late(config: Config, digits: ImageSet) -> None:
    state = initial_state(config, digits, CPU)
    step = make_step(config, digits)
    assert state.players.recogniser is not None
    classes = state.players.recogniser.classes
    with torch.no_grad():  # one head that takes all images for one class
        *_, weights, biases = classes.heads[0].parameters()
        weights.zero_()
        biases.copy_(torch.eye(10)[0] * 50)
    for number in range(3):
        step(state.players, Batch(to_unit(digits.images[:256]), digits.labels[:256]), state.source, number)
    assert classes.information[0] == pytest.approx(0, abs=1e-5)
    assert (classes.information[1:] > 0).all()


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
