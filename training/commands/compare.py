"""`faussaire compare`"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from training.commands.terminal import ClassCodes, DataDir, Device, Images, Size, console, open_workspace
from training.evaluation import IMAGES
from training.recipes.presets import PRESETS

if TYPE_CHECKING:
    from training.studies.comparison import Compared

DATA = ("mnist", "fashion-mnist")


def compare(
    runs: Annotated[
        list[Path] | None, typer.Argument(help="Run folders to compare; presets are trained if absent.")
    ] = None,
    preset: Annotated[
        list[str] | None, typer.Option(help="Train only this preset; may be repeated.", show_default=False)
    ] = None,
    data_name: Annotated[
        list[str] | None,
        typer.Option("--data", help="Train on this data set; may be repeated.", show_default=", ".join(DATA)),
    ] = None,
    size: Size = None,
    codes: ClassCodes = None,
    epochs: Annotated[int, typer.Option(min=3, help="Passes over the data for each preset.")] = 10,
    images: Images = IMAGES,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("docs/results.md"),
    data_dir: DataDir = Path("data"),
    device: Device = "auto",
) -> None:
    """Train the presets that are missing, evaluate them, and write a table. The same command again goes on."""
    from training.datasets.images import plain_name
    from training.loop.run import Run
    from training.studies.comparison import save_page

    workspace = open_workspace(data_dir, device)
    pairs = [(row, plain_name(name)) for name in data_name or DATA for row in preset or PRESETS]
    folders = [Run(path) for path in runs or ()]
    if not folders:
        folders = [workspace.train_preset(row, name, epochs, size, codes) for row, name in pairs]
    rows = [workspace.read_or_evaluate(run, images) for run in folders]
    save_page(output, rows)
    _show(rows)
    console.print(f"{output} has all measures, and pictures")


def _show(rows: "list[Compared]") -> None:
    table = Table("preset", "data", "FID", "recall", "class KL", "confidence", "asked class", "works")
    for row in rows:
        drawn = row.evaluation.drawn
        shown = {"fid": ".2f", "recall": ".3f", "class_kl": ".3f", "confidence": ".3f", "accuracy": ".1%"}
        *figures, asked = (f"{drawn[key]:{form}}" if drawn.has(key) else "" for key, form in shown.items())
        works = "no" if row.shortcomings() else "yes"  # the page says why
        table.add_row(row.config.preset, row.config.data, *figures, asked, works)
    Console().print(table)
