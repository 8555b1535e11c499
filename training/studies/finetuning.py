"""Starting a run from the networks of another, some of their layers held still, and what that saves."""

import re
from pathlib import Path

import torch
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict
from torch import nn

from training.errors import Unfit
from training.files import replacing
from training.loop.checkpoint import State, reading
from training.loop.run import Run
from training.networks.build import Built

FREEZABLE = ("generator", "discriminator")
WEIGHTED = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def freeze(built: Built, chosen: tuple[str, ...]) -> None:
    """Hold layers still, each choice as `NETWORK:N`: those before the N-th, or all but the last -N.

    Holding the first layers of D is FreezeD (Mo et al. 2020); those of G, Zhao et al. 2020, section 3. Raises Unfit.
    """
    networks = dict(zip(FREEZABLE, (built.generator, built.opponent), strict=True))
    for choice in chosen:
        match = re.fullmatch(rf"({'|'.join(FREEZABLE)}):(-?\d+)", choice)
        if match is None:
            raise Unfit(f"--freeze '{choice}' is not NETWORK:N; 'generator:-2' trains the last two layers of G alone")
        layers, end = layers_of(networks[match[1]]), int(match[2])
        held = layers[:end]
        if not 0 < len(held) < len(layers):
            raise Unfit(
                f"--freeze '{choice}' leaves none of its {len(layers)} layers held, or none to train; choose from "
                f"{match[1]}:1 to {match[1]}:{len(layers) - 1}, or from {match[1]}:-{len(layers) - 1} to {match[1]}:-1"
            )
        for layer in held:
            layer.requires_grad_(requires_grad=False)


def layers_of(network: nn.Module) -> list[nn.ModuleList]:
    """From input to output: each layer with weights, and the norm that follows it."""
    layers: list[nn.ModuleList] = []
    for module in network.modules():
        if isinstance(module, WEIGHTED):
            layers.append(nn.ModuleList([module]))
        elif isinstance(module, NORMS):
            layers[-1].append(module)
    return layers


def begin_from(source: Run, state: State) -> None:
    """Copy the networks of the source's last checkpoint into a fresh state. Raises InvalidRun and Unfit."""
    path = source.last_checkpoint()
    with reading(path):
        saved = torch.load(path, map_location=state.source.device, weights_only=True)
    for name, network in state.networks().items():
        mine, others = network.state_dict(), saved[name]
        differing = [key for key in mine if key not in others or mine[key].shape != others[key].shape]
        if differing:
            raise Unfit(
                f"{source.folder} does not fit the new images: its {name} has another '{differing[0]}'; the images "
                "must have the same size and channels and, where the preset has classes, as many of them"
            )
        network.load_state_dict(others)


class Point(BaseModel):
    """What a run had come to after an epoch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    images: int
    seconds: float
    fid: float
    """by 2,000 images, on the judge's features"""


class Course(BaseModel):
    """A run, epoch by epoch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    learning: int = 0
    """weights of G that learn"""
    points: tuple[Point, ...] = ()

    @classmethod
    def read(cls, path: Path, title: str) -> "Course":
        """What was written, or one that has not begun."""
        return cls.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else cls(title=title)


class Saving(BaseModel):
    """What beginning from trained networks saved on the way to what training from scratch came to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reached: Point | None
    """the first point of the fine-tuned run that is as good as the last of the other; None where none is"""
    final: Point
    scratch: Point
    weights: float
    """share of G's weights that learn"""

    def sentence(self) -> str:
        learning = f"{self.weights:.0%} of G's weights learned"
        if self.reached is None:
            return (
                f"nothing saved: after {self.final.images:,} images the FID is {self.final.fid:.2f}, from scratch "
                f"{self.scratch.fid:.2f}; {learning}, at {self.final.seconds / self.scratch.seconds:.0%} of the time; "
                "free more layers or train on"
            )
        return (
            f"as good as from scratch (FID {self.scratch.fid:.2f}) after {self.reached.images:,} images in place of "
            f"{self.scratch.images:,}: saved {1 - self.reached.images / self.scratch.images:.0%} of the images and "
            f"{1 - self.reached.seconds / self.scratch.seconds:.0%} of the time; {learning}"
        )


def saving(tuned: Course, scratch: Course) -> Saving:
    """Of two runs of as many epochs."""
    last = scratch.points[-1]
    reached = next((point for point in tuned.points if point.fid <= last.fid), None)
    return Saving(
        reached=reached, final=tuned.points[-1], scratch=last, weights=tuned.learning / max(scratch.learning, 1)
    )


def save_courses(path: Path, courses: list[Course]) -> None:
    """FID over images, a line a run."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for course in courses:
        axes.plot(
            [point.images for point in course.points], [point.fid for point in course.points], "o-", label=course.title
        )
    axes.set(xlabel="images seen", ylabel="FID, judge's features", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as beside:
        figure.savefig(beside, dpi=100)
