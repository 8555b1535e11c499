"""Trains a run's generator on other images, and says what that saves against training from scratch."""

from pathlib import Path

import torch
from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict, ValidationError

from training.datasets.images import ImageSet
from training.errors import Interrupted, InvalidRun
from training.evaluation.quick import Yardstick
from training.files import replacing, write_text
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.loop.train import initial_state, train_run
from training.loop.transfer import begin_from
from training.progress import Display


class Point(BaseModel):
    """How good a run was after an epoch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epoch: int
    images: int
    seconds: float
    fid: float | None
    """On the judge's features, by 2,000 images; None if the judge cannot judge."""


class Course(BaseModel):
    """A run, epoch by epoch."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    learning: int = 0
    """Weights of G that learn."""
    points: tuple[Point, ...] = ()

    @classmethod
    def read(cls, path: Path, title: str) -> "Course":
        """The course in a file, or a new one if there is no file. Raises InvalidRun."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            return cls(title=title)
        except ValidationError:
            raise InvalidRun(f"{path} is damaged; bring it back, or fine-tune in another folder with --run") from None


class Saving(BaseModel):
    """What trained networks saved on the way to the FID that training from scratch reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reached: Point | None
    """The first point of the fine-tuned run that is as good as the last point of the other; None if there is none."""
    final: Point
    scratch: Point
    weights: float
    """The share of G's weights that learn."""

    def sentence(self) -> str:
        learning = f"{self.weights:.0%} of G's weights learned"
        if self.final.fid is None or self.scratch.fid is None:
            return f"what was saved is not known, since no classifier can judge; {learning}"
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


def begin_finetuning(run: Run, source: Run, config: Config, images: ImageSet, device: torch.device) -> None:
    """Write the first checkpoint, with the source's networks, unless the run has begun. Raises InvalidRun and Unfit."""
    if run.checkpoints():
        return
    run.claim(config, images.contents())
    state = initial_state(config, images, device)
    begin_from(source, state)
    state.save(run.checkpoint_path(0))


def train_course(
    run: Run, config: Config, images: ImageSet, yardstick: Yardstick, display: Display, title: str
) -> Course:
    """Train epoch by epoch, and measure after each. Epochs that were measured before are not measured again.

    Raises Interrupted.
    """
    path = run.folder / "course.json"
    course = Course.read(path, title)
    steps = len(images) // config.batch
    watch = Watch(judge=yardstick.judge, say=display.say)
    with display.steps(f"{title} on {config.data}", steps * config.epochs, config.batch) as progress:
        for epoch in range(len(course.points) + 1, config.epochs + 1):
            length = config.model_copy(update={"epochs": epoch})
            state = train_run(run, length, images, yardstick.features.device, progress, watch)
            if state.step < steps * epoch:
                raise Interrupted(state.step, steps * config.epochs)
            learning = sum(w.numel() for w in state.players.generator.parameters() if w.requires_grad)
            distance = yardstick.read(state.average.generator, config.latent_space(images.classes))
            point = Point(epoch=epoch, images=state.step * config.batch, seconds=state.seconds, fid=distance)
            course = course.model_copy(update={"points": (*course.points, point), "learning": learning})
            write_text(path, course.model_dump_json(indent=2) + "\n")
    return course


def measure_saving(tuned: Course, scratch: Course) -> Saving:
    """Compare two runs of equally many epochs."""
    last = scratch.points[-1]
    reached = next((point for point in tuned.points if _as_good(point, last)), None)
    return Saving(
        reached=reached, final=tuned.points[-1], scratch=last, weights=tuned.learning / max(scratch.learning, 1)
    )


def _as_good(point: Point, other: Point) -> bool:
    return point.fid is not None and other.fid is not None and point.fid <= other.fid


def save_courses(path: Path, courses: list[Course]) -> None:
    """Plot FID over images, a line for each run."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for course in courses:
        known = [(point.images, point.fid) for point in course.points if point.fid is not None]
        axes.plot([images for images, _ in known], [fid for _, fid in known], "o-", label=course.title)
    axes.set(xlabel="images seen", ylabel="FID, judge's features", yscale="log")
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(path) as beside:
        figure.savefig(beside, dpi=100)
