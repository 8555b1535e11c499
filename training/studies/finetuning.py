"""Starting a run from the networks of another, some of their layers held still, and what that saves."""

from pathlib import Path

from matplotlib.figure import Figure
from pydantic import BaseModel, ConfigDict

from training.files import replacing


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
