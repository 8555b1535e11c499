"""A captured step. Without a GPU, a recorder stands for CUDA graphs, and calls the step again, as a graph would.

It fails where a graph would go wrong: if a step replaces a tensor that the next step reads.
"""

from collections.abc import Callable, Iterator

import pytest
import torch

from training.datasets.images import ImageSet
from training.loop import capture
from training.loop.capture import CapturedStep, Graphs, Terms, taking
from training.loop.checkpoint import State
from training.loop.run import Config
from training.loop.train import advance, initial_state, make_step
from training.parallel import Group
from training.workspace import choose_device

CPU, GPU = torch.device("cpu"), torch.device("cuda")
STEPS = 14
PRESETS = ("dcgan", "wgan", "wgan-gp", "began", "cgan", "acgan", "infogan", "cvae")


class Repeater:
    """Calls a step where a graph would take it: with the tensors that it was recorded with."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.prepared = self.replayed = 0

    def prepare(self, body: Callable[[], Terms]) -> Terms:
        self.prepared += 1
        return body()

    def record(self, body: Callable[[], Terms], _: torch.Generator) -> tuple[Terms, Callable[[], None]]:
        terms: Terms = {}

        def replay() -> None:
            before = places(self.state)
            for name, value in body().items():
                terms.setdefault(name, torch.empty_like(value)).copy_(value)
            assert places(self.state) == before
            self.replayed += 1

        return terms, replay


def places(state: State) -> dict[str, int]:
    """Where all is that one step leaves for the next."""
    return {name: tensor.data_ptr() for name, tensor in tensors(state)} | {"k": state.players.balance.data_ptr()}


def tensors(state: State) -> Iterator[tuple[str, torch.Tensor]]:
    for part, network in state.networks().items():
        yield from ((f"{part}.{name}", tensor) for name, tensor in network.state_dict().items())
    for number, optimiser in enumerate(state.players.optimisers()):
        for weights, kept in optimiser.state.items():
            yield from ((f"{number}.{id(weights)}.{name}", tensor) for name, tensor in kept.items())


@pytest.mark.parametrize("preset", PRESETS)
def test_a_captured_run_is_the_run(digits: ImageSet, preset: str) -> None:
    config = Config.of(preset, data="mnist", seed=3, epochs=2, batch=16, head_start=0)
    ended = []
    for captured in (False, True):
        state = initial_state(config, digits, CPU)
        state.codes = digits.labels
        step = make_step(config, digits)
        recorder = Repeater(state)
        take = CapturedStep(step, recorder) if captured else step
        for _ in range(STEPS):
            terms = advance(state, take, digits, config)
        kinds = {step.moves_generator(number) for number in range(STEPS)}
        assert (recorder.prepared + recorder.replayed, recorder.replayed > 0) == (STEPS * captured, captured)
        assert recorder.prepared <= 3 * len(kinds)
        ended.append([*terms.values(), *(tensor for _, tensor in tensors(state))])
    for mine, other in zip(*ended, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("preset", PRESETS)
def test_a_run_that_a_gpu_captures_is_the_run(digits: ImageSet, preset: str) -> None:
    config = Config.of(preset, data="mnist", seed=3, epochs=2, batch=16, head_start=0)
    resident = digits.to(choose_device("cuda"))
    ended = []
    for captured in (False, True):
        state = initial_state(config, resident, GPU)
        state.codes = resident.labels
        step = make_step(config, resident)
        take = CapturedStep(step, Graphs()) if captured else step
        for _ in range(STEPS):
            terms = advance(state, take, resident, config)
        ended.append([*terms.values(), *(tensor for _, tensor in tensors(state))])
    for mine, other in zip(*ended, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize(
    ("device", "processes", "captured"), [(CPU, 1, False), (GPU, 1, True), (GPU, 2, False)], ids=str
)
def test_a_gpu_that_trains_alone_captures(
    digits: ImageSet, device: torch.device, processes: int, captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "Graphs", lambda: None)
    config = Config.of("cgan", data="mnist", seed=3, epochs=2)
    step = make_step(config, digits, group=Group(size=processes))
    assert isinstance(taking(step, device), CapturedStep) == captured


def test_a_head_start_is_not_captured(digits: ImageSet) -> None:
    config = Config.of("cgan", data="mnist", seed=3, epochs=2, batch=16, head_start=1)
    state = initial_state(config, digits, CPU)
    step = make_step(config, digits)
    recorder = Repeater(state)
    take = CapturedStep(step, recorder)
    while state.step < step.head_start:
        advance(state, take, digits, config)
    assert recorder.prepared == recorder.replayed == 0
