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

from latent import GeneratorCard
from training import classifier as classifiers
from training import comparison, data, evaluation, loop, presets, report
from training.classifier import Classifier
from training.collapse import OnCollapse, Watch
from training.data import ImageSet
from training.errors import InvalidRun, TrainingError, UnknownName
from training.evaluation import Evaluation, Measures, Real
from training.export import export as export_generator
from training.files import write_text
from training.model import Model
from training.networks import check_fit
from training.objectives import OBJECTIVES
from training.run import Config, Run
from training.run import Progress as Report

INTERRUPTED = 130
PAIRS = [(preset, name) for name in ("mnist", "fashion-mnist") for preset in presets.PRESETS]
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
    data_name: Annotated[
        str,
        typer.Option("--data", help=f"One of: {', '.join(data.SOURCES)}; or a folder of images, a class a sub-folder."),
    ],
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
    folder = Run(run or Path("runs") / f"{preset}-{images.card.name}-{seed}")
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
    card = exported(Run(run), output, data_dir, choose_device(device))
    console.print(f"{output}: {output.stat().st_size / 1e6:.2f} MB, {card.training.parameters:,} parameters")
    for figure in card.figures:
        console.print(f"{figure.name}: {figure.value:g} ({figure.protocol})")


@app.command()
def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file that 'export' wrote, or run folder that 'train' wrote.")],
    images: Annotated[int, typer.Option(min=100, help="How many images to draw.")] = evaluation.IMAGES,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the report; the run's, or runs/evaluations/NAME, when absent.")
    ] = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Measure what a generator draws, and write evaluation.json and evaluation.html."""
    measured, page = evaluated(model, images, output, data_dir, choose_device(device))
    table = Table("measure", "drawn", "real", "is", title=measured.model)
    for row in report.rows(measured):
        table.add_row(row.name, row.drawn, row.real, row.meaning)
    shown = Console()
    shown.print(table)
    shown.print(f"by {measured.judge}; {page} has the pictures")


@app.command()
def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run folders; every preset on MNIST and Fashion-MNIST when absent.")
    ] = None,
    epochs: Annotated[int, typer.Option(min=3, help="Passes over the data that each preset gets.")] = 10,
    images: Annotated[int, typer.Option(min=100, help="How many images to measure each by.")] = evaluation.IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The table to write.")] = Path("docs/results.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train what is missing, evaluate what is new, and write the table. The same command again goes on."""
    chosen = choose_device(device)
    folders = [Run(path) for path in runs] if runs else [budgeted(*pair, epochs, data_dir, chosen) for pair in PAIRS]
    for run in folders:
        newest = run.checkpoints()[-1:] or [run.folder]
        done = run.folder / "evaluation.json"
        fresh = done.exists() and done.stat().st_mtime >= newest[0].stat().st_mtime
        if not fresh or comparison.read(run).evaluation.images != images:
            evaluated(run.folder, images, None, data_dir, chosen)
    comparison.save_table(output, [comparison.read(run) for run in folders])
    console.print(f"{output}: {len(folders)} runs")


def budgeted(preset: str, data_name: str, epochs: int, data_dir: Path, device: torch.device) -> Run:
    """A preset's run of so many epochs, its recogniser's head start among them; trained where it is not yet."""
    head_start = min(presets.preset(preset).head_start, epochs // 2)
    config = Config.of(preset, data=data_name, seed=0, epochs=epochs, head_start=head_start)
    run = Run(Path("runs") / "compare" / f"{preset}-{data_name}-0")
    images = data.load(data_name, data_dir, train=True)
    total = epochs * (len(images) // config.batch)
    watch = Watch(judge=judged_by(data_name, images, data_dir, device), say=console.print)
    with progress_bar(f"{preset} on {data_name}", total, config.batch) as shown:
        state = loop.train(run, config, images, device, shown, watch)
    if state.step < total:
        console.print(f"stopped at step {state.step:,} of {total:,}; the same command goes on from there")
        raise typer.Exit(INTERRUPTED)
    return run


def evaluated(
    model: Path, images: int, output: Path | None, data_dir: Path, device: torch.device
) -> tuple[Evaluation, Path]:
    """Measure a model's file or a run's last checkpoint; returns the figures and the page that shows them."""
    run = Run(model) if model.is_dir() else None
    if run is not None:
        model = run.folder / "model.onnx"
        exported(run, model, data_dir, device)
    opened = Model(model)
    name = opened.card.data.name if run is None else run.read_config().data
    train_set, test_set = data.load(name, data_dir, train=True), data.load(name, data_dir, train=False)
    judge = judged_by(name, train_set, data_dir, torch.device("cpu"))
    real = Real.split(train_set, test_set)
    folder = output or (Path("runs") / "evaluations" / opened.card.name if run is None else run.folder)
    with console.status("measuring: a minute or two"):
        kept = Path("runs") / "classifiers" / f"{judge.digest()}-{images}.reference.json"
        reference = Measures.model_validate_json(kept.read_text(encoding="utf-8")) if kept.exists() else None
        measured = evaluation.evaluate(opened, real, judge, images, reference, _quiet)
        write_text(kept, measured.real.model_dump_json() + "\n")
        write_text(folder / "evaluation.json", measured.model_dump_json(indent=2) + "\n")
        curves = None if run is None else run.folder / "curves.png"
        report.save_page(folder / "evaluation.html", measured, opened, real, curves)
    return measured, folder / "evaluation.html"


def exported(run: Run, output: Path, data_dir: Path, device: torch.device) -> GeneratorCard:
    """Write the last checkpoint's generator to `output`. Raises InvalidRun."""
    config = run.read_config()
    if not run.checkpoints():
        raise InvalidRun(f"{run.folder} has no checkpoint yet; train it for an epoch first")
    images = data.load(config.data, data_dir, train=True)
    state = loop.initial_state(config, images, device)
    state.load(run.checkpoints()[-1])
    judge = judged_by(config.data, images, data_dir, torch.device("cpu"))
    return export_generator(state, config, images, judge, loop.latent_space(config, images), output)


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
    known = name if name in data.SOURCES else f"{images.card.name}-{images.digest()}"
    path = Path("runs") / "classifiers" / f"{known}.pt"
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
