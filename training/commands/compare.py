"""`faussaire compare`"""

from pathlib import Path
from typing import Annotated

import torch
import typer
from rich.console import Console
from rich.table import Table

from training.commands.evaluate import compared
from training.commands.terminal import DataDir, Device, choose_device, console, interrupted, judged_by, progress_bar
from training.datasets.images import load_images
from training.errors import Diverged
from training.evaluation import evaluation
from training.loop import train as loop
from training.loop.collapse import Watch
from training.loop.run import Config, Run
from training.recipes import presets
from training.studies import comparison
from training.studies.comparison import Compared

DATA = ("mnist", "fashion-mnist")


def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run folders to compare; presets are trained when absent.")
    ] = None,
    preset: Annotated[
        list[str] | None, typer.Option(help="Train only this preset; may be given again.", show_default=False)
    ] = None,
    data_name: Annotated[
        list[str] | None,
        typer.Option("--data", help="Train on this data set; may be given again.", show_default=", ".join(DATA)),
    ] = None,
    epochs: Annotated[int, typer.Option(min=3, help="Passes over the data that each preset gets.")] = 10,
    images: Annotated[int, typer.Option(min=100, help="How many images to measure each by.")] = evaluation.IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The table to write.")] = Path("docs/results.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train what is missing, evaluate what is new, and write the table. The same command again goes on."""
    chosen = choose_device(device)
    pairs = [(row, name) for name in data_name or DATA for row in preset or presets.PRESETS]
    folders = [Run(path) for path in runs] if runs else [budgeted(*pair, epochs, data_dir, chosen) for pair in pairs]
    rows = [compared(run, images, data_dir, chosen) for run in folders]
    comparison.save(output, rows)
    show(rows)
    console.print(f"{output} has all measures, and pictures")


def budgeted(preset: str, data_name: str, epochs: int, data_dir: Path, device: torch.device) -> Run:
    """A preset's run of so many epochs, its recogniser's head start among them; trained where it is not yet.

    One that collapses for good is kept as it was last well.
    """
    config = Config.of(preset, data=data_name, seed=0, epochs=epochs).halved()
    images = load_images(data_name, data_dir, train=True)
    run = Run(Path("runs") / "compare" / f"{preset}-{images.card.name}-0")
    total = epochs * (len(images) // config.batch)
    watch = Watch(judge=judged_by(data_name, images, data_dir, device), say=console.print)
    try:
        with progress_bar(f"{preset} on {data_name}", total, config.batch) as shown:
            state = loop.train(run, config, images, device, shown, watch)
    except Diverged as error:
        console.print(f"{run.folder}: {error}", soft_wrap=True)
        return run
    if state.step < total:
        interrupted(state.step, total)
    return run


def show(rows: list[Compared]) -> None:
    table = Table("preset", "data", "FID", "recall", "class KL", "confidence", "asked class", "works")
    for row in rows:
        drawn = row.evaluation.drawn
        figures = (f"{drawn.fid:.2f}", f"{drawn.recall:.3f}", f"{drawn.class_kl:.3f}", f"{drawn.confidence:.3f}")
        asked = "" if drawn.accuracy is None else f"{drawn.accuracy:.1%}"
        works = "no" if row.shortcomings() else "yes"  # the file says why
        table.add_row(row.config.preset, row.config.data, *figures, asked, works)
    Console().print(table)
