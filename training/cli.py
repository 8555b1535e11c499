"""The command line: train, export, evaluate."""

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from training import classifier as classifiers
from training import data, loop, presets
from training.classifier import Classifier
from training.collapse import OnCollapse, Watch
from training.data import ImageSet
from training.errors import InvalidRun, TrainingError, UnknownName
from training.evaluate import recognised
from training.export import export as export_generator
from training.model import Model
from training.networks import check_fit
from training.objectives import OBJECTIVES
from training.run import Config, Run
from training.run import Progress as Report

INTERRUPTED = 130
REFUSED = 2

app = typer.Typer(
    help="Train GAN and InfoGAN generators and export them as ONNX files that the service draws from.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
console = Console(stderr=True)

DataDir = Annotated[
    Path,
    typer.Option(
        envvar="FAUSSAIRE_DATA_DIR",
        help="Folder with the data sets in torchvision's layout; downloaded there when absent.",
    ),
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1, ...; auto takes a GPU when there is one.")]


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help=f"One of: {', '.join(presets.PRESETS)}.")],
    data_name: Annotated[str, typer.Option("--data", help=f"One of: {', '.join(data.SOURCES)}.")],
    data_dir: DataDir = Path("data"),
    run: Annotated[Path | None, typer.Option(help="Run folder; runs/PRESET-DATA-SEED when absent.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the data; raise it to train a finished run on.")] = 25,
    seed: Annotated[int, typer.Option(min=0, max=2**31 - 1, help="Decides every random draw.")] = 0,
    batch: Annotated[int | None, typer.Option(min=2, help="Images a step; the preset's when absent.")] = None,
    objective: Annotated[
        str | None, typer.Option(help=f"Instead of the preset's: {', '.join(OBJECTIVES)}.", show_default=False)
    ] = None,
    noise: Annotated[presets.Noise | None, typer.Option(help="Instead of the preset's.", show_default=False)] = None,
    dropout: Annotated[
        float | None, typer.Option(min=0, max=0.9, help="Share of D's activations dropped; the preset's when absent.")
    ] = None,
    lr_d: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of D.", show_default=False)] = None,
    lr_g: Annotated[float | None, typer.Option(min=1e-7, max=1, help="Learning rate of G.", show_default=False)] = None,
    head_start: Annotated[
        int | None, typer.Option(min=0, help="Epochs in which only the recogniser trains; the preset's when absent.")
    ] = None,
    on_collapse: Annotated[
        OnCollapse, typer.Option(help="Go back to the last checkpoint, stop, or go on, when a run collapses.")
    ] = "rollback",
    device: Device = "auto",
) -> None:
    """Train a preset on a data set. The same command again goes on where it stopped."""
    config = Config.of(
        preset,
        data=data_name,
        seed=seed,
        epochs=epochs,
        batch=batch,
        objective=objective,
        noise=noise,
        dropout=dropout,
        lr_d=lr_d,
        lr_g=lr_g,
        head_start=head_start,
    )
    check_fit(config.network, config.objective, config.codes)
    images = data.load(data_name, data_dir, train=True)
    if epochs <= config.head_start:
        raise TrainingError(
            f"--epochs must be above --head-start {config.head_start}: in these only the recogniser trains"
        )
    batch = config.batch
    if batch > len(images):
        raise TrainingError(f"--batch {batch} is more than the data set's {len(images)} images")
    folder = Run(run or Path("runs") / f"{preset}-{data_name}-{seed}")
    total = epochs * (len(images) // batch)
    chosen = choose_device(device)
    judge = None if on_collapse == "ignore" else judged_by(data_name, images, data_dir, chosen)
    watch = Watch(on_collapse, judge, console.print)
    with progress_bar(f"{preset} on {data_name}", total, batch) as report:
        state = loop.train(folder, config, images, chosen, report, watch)
    if state.step < total:
        console.print(f"stopped at step {state.step:,} of {total:,}; the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    console.print(f"{folder.folder}: {epochs} epochs done in {state.seconds:,.0f} s of training")


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="Run folder that 'train' wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The ONNX file to write.")],
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Write a run's generator, with its card inside, to one ONNX file."""
    folder = Run(run)
    config = folder.read_config()
    if not folder.checkpoints():
        raise InvalidRun(f"{run} has no checkpoint yet; train it for an epoch first")
    images = data.load(config.data, data_dir, train=True)
    chosen = choose_device(device)
    state = loop.initial_state(config, images, chosen)
    state.load(folder.checkpoints()[-1])
    judge = judged_by(config.data, images, data_dir, torch.device("cpu"))
    space = loop.latent_space(config, images)
    card = export_generator(state, config, images, judge, space, output)
    console.print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {card.training.parameters:,} parameters")
    for figure in card.figures:
        console.print(f"{figure.name}: {figure.value:g} ({figure.protocol})")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file that 'export' wrote.")],
    data_dir: DataDir = Path("data"),
) -> None:
    """Print which share of 1,000 images of each class a classifier of real images calls by that name."""
    opened = Model(model)
    if not opened.card.space.classes:
        raise TrainingError(f"{model} has no class codes to measure")
    images = data.load(opened.card.data.name, data_dir, train=True)
    judge = judged_by(opened.card.data.name, images, data_dir, torch.device("cpu"))
    rows = recognised(opened, judge)
    table = Table("class", "recognised", "mean confidence", title=f"{opened.card.name} {opened.card.version}")
    for row in rows:
        table.add_row(row.name, f"{row.share:.1%}", f"{row.confidence:.3f}")
    share = sum(row.share for row in rows) / len(rows)
    confidence = sum(row.confidence for row in rows) / len(rows)
    table.add_row("mean", f"{share:.1%}", f"{confidence:.3f}", style="bold")
    output = Console()
    output.print(table)
    output.print(f"by {judge.protocol()}")


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


def judged_by(name: str, images: ImageSet, data_dir: Path, device: torch.device) -> Classifier:
    """The data set's classifier, trained once and kept under runs/."""
    path = Path("runs") / "classifiers" / f"{name}.pt"
    test = data.load(name, data_dir, train=False)
    if path.exists():
        return classifiers.trained(path, images, test, device, _quiet)
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


def _quiet(_: int, __: dict[str, float]) -> None:
    pass


def main() -> None:
    """What the `faussaire` command runs: every error a person can mend is one line and exit code 2."""
    try:
        app()
    except TrainingError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno == errno.ENOSPC:
            _fail(f"the disk is full ({error.filename or 'while writing'}); free some space, then run the same command")
        _fail(f"{error.filename or 'file'}: {error.strerror or error}; check the path and its permissions")
    except KeyboardInterrupt:
        console.print("interrupted")
        sys.exit(INTERRUPTED)


def _fail(message: str) -> None:
    console.print(f"error: {message}", soft_wrap=True, markup=False, highlight=False)
    sys.exit(REFUSED)
