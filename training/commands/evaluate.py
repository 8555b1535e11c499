"""`faussaire evaluate`"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from training.commands.export import exported
from training.commands.terminal import DataDir, Device, choose_device, console, judged_by, stages_bar
from training.datasets.images import load_images
from training.errors import WeightsUnavailable
from training.evaluation import evaluation, report
from training.evaluation.evaluation import Evaluation, Measures, Protocol, Real
from training.export.model import Model
from training.files import write_text
from training.loop.run import Run
from training.measures.inception import Inception
from training.studies import comparison
from training.studies.comparison import Compared


def evaluate(
    model: Annotated[Path, typer.Argument(help="ONNX file that 'export' wrote, or run folder that 'train' wrote.")],
    images: Annotated[int, typer.Option(min=100, help="How many images to draw.")] = evaluation.IMAGES,
    inception: Annotated[
        str | None,
        typer.Option(
            help="Measure FID on Inception's features too, with the weights in this file, or 'download'; "
            "an hour on one CPU core.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder of the report; the run's, or runs/evaluations/NAME, when absent.")
    ] = None,
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Measure what a generator draws, and write evaluation.json and evaluation.html."""
    chosen = choose_device(device)
    weighed = None if inception is None else _inception(inception, chosen)
    measured, page = evaluated(model, images, output, data_dir, chosen, weighed)
    table = Table("measure", "drawn", "real", "is", title=measured.model)
    for row in report.rows(measured):
        table.add_row(row.name, row.drawn, row.real, row.meaning)
    shown = Console()
    shown.print(table)
    shown.print(f"by {measured.judge}; {page} has the pictures")


def _inception(weights: str, device: torch.device) -> Inception | None:
    """None, and a line that says why, where the weights cannot be had: the other measures need none."""
    try:
        return Inception(None if weights == "download" else Path(weights), device)
    except WeightsUnavailable as error:
        console.print(f"FID on Inception's features is left out: {error}", soft_wrap=True, markup=False)
        return None


def evaluated(
    model: Path,
    images: int,
    output: Path | None,
    data_dir: Path,
    device: torch.device,
    inception: Inception | None = None,
) -> tuple[Evaluation, Path]:
    """Measure a model's file or a run's last checkpoint; returns the figures and the page that shows them."""
    run = Run(model) if model.is_dir() else None
    if run is not None:
        model = run.folder / "model.onnx"
        exported(run, model, data_dir, device)
    opened = Model(model)
    name = opened.card.data.name if run is None else run.read_config().data
    train_set, test_set = load_images(name, data_dir, train=True), load_images(name, data_dir, train=False)
    judge = judged_by(name, train_set, data_dir, torch.device("cpu"))
    real = Real.split(train_set, test_set)
    folder = output or (Path("runs") / "evaluations" / opened.card.name if run is None else run.folder)
    measured = _measured(opened, real, Protocol(judge, images, inception))
    if run is not None:
        measured = measured.model_copy(update={"model": run.folder.resolve().name})
    write_text(folder / "evaluation.json", measured.model_dump_json(indent=2) + "\n")
    curves = None if run is None else run.folder / "curves.png"
    report.save_page(folder / "evaluation.html", measured, opened, real, curves)
    return measured, folder / "evaluation.html"


def compared(run: Run, images: int, data_dir: Path, device: torch.device) -> Compared:
    """A run as it was evaluated; which is done where it was not since its last checkpoint, by so many images."""
    if not evaluation.is_fresh(run, images):
        evaluated(run.folder, images, None, data_dir, device)
    return comparison.read(run)


def _measured(model: Model, real: Real, protocol: Protocol) -> Evaluation:
    """With a bar; what real images get is kept for the next model of the same data set."""
    suffix = "" if protocol.inception is None else "-inception"
    kept = Path("runs") / "classifiers" / f"{protocol.judge.digest()}-{protocol.images}{suffix}.reference.json"
    reference = Measures.model_validate_json(kept.read_text(encoding="utf-8")) if kept.exists() else None
    total = evaluation.stages(
        reference=reference is None,
        classes=bool(model.card.space.classes),
        inception=protocol.inception is not None,
    )
    with stages_bar(f"measuring {model.card.name}", total) as say:
        measured = evaluation.evaluate(model, real, replace(protocol, say=say), reference)
    write_text(kept, measured.real.model_dump_json() + "\n")
    return measured
