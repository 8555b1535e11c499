"""What every command shares: its options, what it says, and how it shows that it is at work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Annotated, NoReturn

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from training.datasets.images import ImageSet, load_images
from training.datasets.sources import SOURCES
from training.errors import UnknownName
from training.measures import judge as classifiers
from training.measures.judge import Judge
from training.progress import Progress as Report
from training.progress import quiet

INTERRUPTED = 130

console = Console(stderr=True)

DataDir = Annotated[
    Path,
    typer.Option(
        envvar="FAUSSAIRE_DATA_DIR",
        help="Folder with the data sets in torchvision's layout; downloaded there when absent.",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...; auto takes a GPU when there is one.")]


def interrupted(step: int, total: int) -> NoReturn:
    console.print(f"stopped at step {step:,} of {total:,}; the same command goes on from there")
    raise typer.Exit(INTERRUPTED)


def choose_device(name: str) -> torch.device:
    """Raises UnknownName where there is no such device."""
    known = ["auto", "cpu"] + (["cuda"] if torch.cuda.is_available() else [])
    if name == "auto":
        return torch.device(known[-1] if known[-1] != "auto" else "cpu")
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError):
        raise UnknownName("device", name, known) from None
    return device


def judged_by(name: str, images: ImageSet, data_dir: Path, device: torch.device) -> Judge:
    """The data set's classifier, trained once and kept under runs/."""
    known = name if name in SOURCES else f"{images.card.name}-{images.digest()}"
    path = Path("runs") / "classifiers" / f"{known}.pt"
    test = load_images(name, data_dir, train=False)
    if path.exists():
        return classifiers.trained(path, images, test, device, quiet)
    steps = classifiers.total_steps(images)
    with progress_bar(f"classifier of {name}", steps, classifiers.BATCH) as report:
        return classifiers.trained(path, images, test, device, report)


@contextmanager
def progress_bar(title: str, total: int, batch: int) -> Iterator[Report]:
    """A bar with the newest statistics and the images seen a second."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[stats]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        task = bar.add_task(title, total=total, rate="", stats="")

        def report(step: int, stats: dict[str, float]) -> None:
            shown = [f"{name} {value:.2f}" for name, value in stats.items() if "loss" in name]
            speed = bar.tasks[task].speed
            rate = f"{speed * batch:,.0f} images/s" if speed else ""
            bar.update(task, completed=step, rate=rate, stats=" ".join(shown))

        yield report


@contextmanager
def stages_bar(title: str, total: int) -> Iterator[Callable[[str], None]]:
    """A bar for work in named stages: it is told of each as it begins."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[stage]}"))
    with Progress(*columns, console=console, refresh_per_second=4) as bar:
        task = bar.add_task(title, total=total, stage="")
        begun = count()
        yield lambda stage: bar.update(task, completed=next(begun), stage=stage)
        bar.update(task, completed=total, stage="")
