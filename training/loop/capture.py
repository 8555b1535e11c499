"""A step as one CUDA graph: the card goes through all its kernels by itself, where Python would start each of them.

Kernels of such small networks take less time than it takes to start them. (NVIDIA 2019, "Getting Started with CUDA
Graphs"; Ng et al. 2021, "Accelerating PyTorch with CUDA Graphs".)
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor

from training.loop.players import Players
from training.loop.step import Batch, Step

WARM_UP = 3
"""steps of each kind that are taken one kernel after the other: libraries choose their kernels in them"""

Terms = dict[str, Tensor]


class Recorder(Protocol):
    """What can take a step without Python."""

    def prepare(self, body: Callable[[], Terms]) -> Terms:
        """Take a step as ever."""

    def record(self, body: Callable[[], Terms], source: torch.Generator) -> tuple[Terms, Callable[[], None]]:
        """Return the tensors that a step writes its terms to, and what takes it. No step is taken yet."""


class Graphs:
    """Records CUDA graphs."""

    def __init__(self) -> None:
        self.stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def prepare(self, body: Callable[[], Terms]) -> Terms:
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            terms = body()
        torch.cuda.current_stream().wait_stream(self.stream)
        return terms

    def record(self, body: Callable[[], Terms], source: torch.Generator) -> tuple[Terms, Callable[[], None]]:
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(source)
        with torch.cuda.graph(graph, stream=self.stream):
            terms = body()
        return terms, graph.replay


@dataclass(frozen=True)
class Recorded:
    """A step whose tensors all keep their places: those that it reads, and those that it writes."""

    real: Batch
    terms: Terms
    replay: Callable[[], None]

    def __call__(self, real: Batch) -> Terms:
        self.real.images.copy_(real.images)
        self.real.labels.copy_(real.labels)
        self.replay()
        return self.terms


@dataclass
class CapturedStep:
    """Takes the steps of one state. Make another where the state's tensors are replaced or its rates change.

    Steps of the head start are left as they are.
    """

    step: Step
    recorder: Recorder
    _prepared: Counter[bool] = field(default_factory=Counter)
    _recorded: dict[bool, Recorded] = field(default_factory=dict)

    @property
    def head_start(self) -> int:
        return self.step.head_start

    def __call__(self, players: Players, real: Batch, source: torch.Generator, number: int) -> Terms:
        if number < self.head_start:
            return self.step(players, real, source, number)
        kind = self.step.moves_generator(number)
        if self._prepared[kind] < WARM_UP:
            self._prepared[kind] += 1
            return self.recorder.prepare(lambda: self.step(players, real, source, number))
        if kind not in self._recorded:
            kept = Batch(real.images.clone(), real.labels.clone())
            terms, replay = self.recorder.record(lambda: self.step(players, kept, source, number), source)
            self._recorded[kind] = Recorded(kept, terms, replay)
        return self._recorded[kind](real)


def taking(step: Step, device: torch.device) -> Step | CapturedStep:
    """Return what takes the steps of a state from here on: a card that captures them, if it trains alone."""
    return CapturedStep(step, Graphs()) if device.type == "cuda" and step.group.size == 1 else step
