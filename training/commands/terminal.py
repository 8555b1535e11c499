"""What the commands share: options, and how the terminal shows that work goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from latent.release import version_label
from training.progress import Advance, Say
from training.progress import Progress as Report

if TYPE_CHECKING:
    from training.publishing.versions import Versions
    from training.workspace import Workspace

console = Console(stderr=True)

SIDE_STEP = 4
"""The networks halve height and width twice."""


def _check_size(size: int | None) -> int | None:
    if size is not None and size % SIDE_STEP:
        raise typer.BadParameter(f"{size} is not a multiple of {SIDE_STEP}.")
    return size


DataDir = Annotated[
    Path,
    typer.Option(
        envvar="FAUSSAIRE_DATA_DIR",
        help="Folder with the data sets in torchvision's layout. Absent ones are downloaded there.",
    ),
]
OwnData = Annotated[
    str | None,
    typer.Option(
        "--data",
        help="The data of an ONNX file, if its card names no known data set: a folder or file.",
        show_default=False,
    ),
]


def check_own_data(source: Path, data_name: str | None) -> None:
    """Raises typer.BadParameter."""
    if data_name is not None and source.is_dir():
        raise typer.BadParameter(f"{source} is a run, which knows its data; leave --data out.")


Size = Annotated[
    int | None,
    typer.Option(
        min=8,
        max=64,
        help="Height and width in pixels, a multiple of 4, of a folder's images; their medians if absent.",
        show_default=False,
        callback=_check_size,
    ),
]
ClassCodes = Annotated[
    int | None,
    typer.Option(
        "--codes",
        min=2,
        max=1000,
        help="How many class codes 'infogan' finds; as many as the data have classes if absent.",
        show_default=False,
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...; auto takes a GPU if there is one.")]
Images = Annotated[int, typer.Option(min=100, help="How many images to measure by.")]
Models = Annotated[Path, typer.Option(envvar="FAUSSAIRE_MODELS_DIR", help="The service's models folder.")]
Name = Annotated[str, typer.Argument(help="The model's name.")]


def open_workspace(data_dir: Path, device: str) -> "Workspace":
    """The workspace of the current folder. Raises UnknownName."""
    from training.workspace import Workspace, choose_device

    return Workspace(data_dir, choose_device(device), Terminal())


def show_release(versions: "Versions") -> None:
    """Print which versions a name means now."""
    release, shown = versions.known, Console()
    shown.print(f"stable: {version_label(versions.name, release.stable)}", highlight=False)
    if release.canary is not None:
        canary = version_label(versions.name, release.canary)
        shown.print(f"canary: {canary}, {release.weight:g} of seeds", highlight=False)
    if release.before:
        before = ", ".join(version_label(versions.name, digest) for digest in release.before)
        shown.print(f"before: {before}", highlight=False, soft_wrap=True)


class Terminal:
    """Shows bars and lines on the standard error."""

    @contextmanager
    def steps(self, title: str, total: int, batch: int) -> Iterator[Report]:
        """A bar with the newest losses and the images seen a second."""
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
                losses = [f"{name} {value:.2f}" for name, value in stats.items() if "loss" in name]
                speed = bar.tasks[task].speed
                rate = f"{speed * batch:,.0f} images/s" if speed else ""
                bar.update(task, completed=step, rate=rate, stats=" ".join(losses))

            yield report

    @contextmanager
    def stages(self, title: str, total: int) -> Iterator[Say]:
        """A bar with the name of the stage that has begun."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[stage]}"),
        )
        with Progress(*columns, console=console, refresh_per_second=4) as bar:
            task = bar.add_task(title, total=total, stage="")
            begun = count()
            yield lambda stage: bar.update(task, completed=next(begun), stage=stage)
            bar.update(task, completed=total, stage="")

    @contextmanager
    def items(self, title: str, total: int) -> Iterator[Advance]:
        """A bar with the images drawn a second."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, refresh_per_second=4) as bar:
            task = bar.add_task(title, total=total, rate="")

            def advance(more: int) -> None:
                speed = bar.tasks[task].speed
                bar.update(task, advance=more, rate=f"{speed:,.0f} images/s" if speed else "")

            yield advance

    def say(self, line: str) -> None:
        console.print(line, soft_wrap=True, markup=False, highlight=False)
