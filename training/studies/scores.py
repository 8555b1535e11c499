"""What drawn images are worth as training data: a classifier that saw nothing else, beside one that saw real images.

The classification accuracy score (Ravuri and Vinyals 2019), over seeds, by as many drawn images as there are real ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from pydantic import RootModel, ValidationError

from training.datasets.images import ImageSet
from training.files import write_text
from training.measures.judge import BATCH, EPOCHS
from training.measures.score import classification_accuracy
from training.precision import fast_precision, multiplying
from training.progress import Display
from training.studies.spread import show_spread

FIRST_SEED = 100
"""Of the drawn images and of the classifier's first weights; later seeds follow it."""


class Kept(RootModel[dict[int, float]]):
    """Accuracies by seed, in a file, so that a study goes on where it was cut."""

    @classmethod
    def read(cls, path: Path) -> "Kept":
        try:
            return cls.model_validate_json(path.read_bytes())
        except (FileNotFoundError, ValidationError):  # they can be measured again
            return cls({})


@dataclass(frozen=True)
class Score:
    """The figures of one model's file."""

    name: str
    data: str
    images: int
    megabytes: float
    drawn: tuple[float, ...]
    """Accuracy on real test images for each seed, of a classifier that saw drawn images alone."""
    real: tuple[float, ...]
    """The same of one that saw as many real images alone."""

    @property
    def gap(self) -> float:
        return mean(self.real) - mean(self.drawn)


def measure_accuracies(
    kept: Path, title: str, seeds: int, images: Callable[[int], ImageSet], test: ImageSet, display: Display
) -> tuple[float, ...]:
    """Train a classifier for each seed on `images(seed)`, and keep what each is right on in the file `kept`."""
    known = Kept.read(kept)
    for seed in range(FIRST_SEED, FIRST_SEED + seeds):
        if seed in known.root:
            continue
        some = images(seed)
        steps = EPOCHS * len(some) // BATCH
        device = some.images.device
        with (
            display.steps(f"{title}, seed {seed}", steps, BATCH) as progress,
            multiplying(device, fast_precision(device)),
        ):
            accuracy = classification_accuracy(some, test, steps, seed, progress)
        known = Kept(known.root | {seed: accuracy})
        write_text(kept, known.model_dump_json() + "\n")
    return tuple(known.root[seed] for seed in range(FIRST_SEED, FIRST_SEED + seeds))


INTRODUCTION = f"""# What drawn images are worth as training data

`faussaire score` writes this page. A classifier learns from images of one kind alone, and is tested on the real test
images: first from drawn images with the labels that they were asked for, then from as many real images (the
classification accuracy score of Ravuri and Vinyals 2019). The classifier is the judge's network, and learns for
{EPOCHS} epochs. A seed decides its first weights, and which images are drawn. The gap is between the means.

| model | data | images | file, MB | seeds | by drawn images | by real images | gap, points |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""


def save_page(path: Path, scores: list[Score]) -> None:
    write_text(path, INTRODUCTION + "".join(f"| {' | '.join(_cells(row))} |\n" for row in scores))


def _cells(row: Score) -> Iterable[str]:
    yield from (row.name, row.data, f"{row.images:,}", f"{row.megabytes:.2f}", str(len(row.drawn)))
    yield from (show_spread(row.drawn), show_spread(row.real), f"{100 * row.gap:.2f}")
